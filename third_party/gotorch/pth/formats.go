package pth

import (
	"bytes"
	"fmt"
	"strings"
)

// checkKind names the file's kind where its first bytes are not a ZIP file's.
func (a *archive) checkKind() error {
	if a.size == 0 {
		return damaged("the file is empty")
	}
	b, err := a.src.bytes(0, min(a.size, 512))
	if err != nil {
		return err
	}
	if bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix([]byte("PK\x03\x04"), b) {
		return nil // a shorter piece of one is called cut off, later
	}
	return fmt.Errorf("%w: %s", ErrNotPth, looksLike(b))
}

const again = "load it in PyTorch and save it again: torch.save(torch.load(FILE, weights_only=True), FILE)"

func looksLike(b []byte) string {
	has := func(prefix string) bool { return bytes.HasPrefix(b, []byte(prefix)) }
	text := strings.ToLower(string(bytes.TrimSpace(b)))
	switch {
	case has("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"):
		return "PyTorch's legacy format, a series of bare pickles (torch.save before 1.6); " + again
	case len(b) > 1 && b[0] == 0x80 && b[1] <= 5:
		return "a bare pickle; " + again
	case len(b) >= 262 && string(b[257:262]) == "ustar":
		return "a tar archive, perhaps PyTorch's first format; " + again
	case has("PK\x05\x06"):
		return "an empty ZIP file"
	case has("\x89HDF"):
		return "HDF5; convert it in Python"
	case has("GGUF"):
		return "GGUF; convert it in Python"
	case has("\x93NUMPY"):
		return "a NumPy array"
	case has("\x1f\x8b"):
		return "compressed by gzip; run gunzip first"
	case has("version https://git-lfs"):
		return "a Git LFS pointer, not the file itself; run git lfs pull"
	case strings.HasPrefix(text, "<!doctype") || strings.HasPrefix(text, "<html"):
		return "an HTML page, perhaps a download's error page; download it again"
	case len(b) > 8 && b[8] == '{' && b[5] == 0 && b[6] == 0 && b[7] == 0:
		return "safetensors by its looks; give it the ending .safetensors"
	}
	return "it does not begin as a ZIP file does"
}

// refuseOtherFormats names ZIP files that something other than torch.save wrote.
func (a *archive) refuseOtherFormats() error {
	pickle := false
	other := ""
	for _, r := range a.records {
		_, name, found := strings.Cut(r.name, "/")
		if !found {
			name = r.name
		}
		switch {
		case name == "data.pkl":
			pickle = true
		case name == "constants.pkl", name == "bytecode.pkl", strings.HasPrefix(name, "code/"):
			other = "TorchScript (torch.jit.save, or torch::save of C++); " +
				"load it with torch.jit.load and save its state_dict() with torch.save"
		case name == "archive_format", strings.HasPrefix(r.name, "serialized_exported_program"),
			strings.HasPrefix(r.name, "serialized_state_dict"):
			other = "an exported program (.pt2); load it with torch.export.load and save its state_dict with torch.save"
		case name == ".data/extern_modules":
			other = "a torch.package; load the model in Python and save its state_dict() with torch.save"
		case strings.HasSuffix(name, ".npy"):
			other = "a NumPy .npz"
		}
		if other != "" {
			return fmt.Errorf("%w: %s", ErrNotPth, other)
		}
	}
	if !pickle {
		return fmt.Errorf("%w: a ZIP file without data.pkl", ErrNotPth)
	}
	return nil
}
