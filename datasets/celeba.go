package datasets

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/wangkuiyi/gotorch/freememory"

	"flowmatch/datasets/internal/userfile"
	"flowmatch/datasets/picture"
)

// celebaSet is that of Liu, Luo, Wang and Tang 2015: faces, aligned, of 178x218, of which
// the middle is taken. It has no classes unless an attribute makes two.
var celebaSet = entry{
	info:   Info{Name: "celeba", Shape: []int{3, 64, 64}, Levels: 256},
	traits: Traits{Photographs: true, Attributes: true},
	about:  "162,770 faces at 64x64, from img_align_celeba.zip or its folder and the lists beside it in <data-dir>/celeba",
	look:   lookCelebA,
	open:   openCelebA,
}

const (
	celebaFolder     = "celeba"
	celebaPictures   = "img_align_celeba" // a folder, or with .zip an archive of it
	celebaAttributes = "list_attr_celeba.txt"
	celebaPartition  = "list_eval_partition.txt"
	celebaLargest    = 4 << 20  // bytes of one picture; the published ones have 10 KB
	celebaListMost   = 64 << 20 // bytes of a list; the published one has 27 MB
)

// lookCelebA is the set without its files; with an attribute it has two classes.
func lookCelebA(info Info, opts Options) (Info, error) {
	if opts.ImageSize != 0 && opts.ImageSize != info.Shape[1] {
		return info, fmt.Errorf("celeba has images of %dx%d", info.Shape[1], info.Shape[2])
	}
	if opts.Attribute != "" {
		info.ClassNames = AttributeClasses(opts.Attribute)
	}
	return info, nil
}

// AttributeClasses are the classes that an attribute makes: without it, and with it.
func AttributeClasses(attribute string) []string { return []string{"not " + attribute, attribute} }

func celebaFault(path, fault string, remedy Remedy, err error) error {
	return &FileError{Set: "celeba", File: path, Fault: fault, Remedy: remedy, Err: err}
}

// openCelebA reads the pictures of a split, by the partition list: 0 is for training, 2
// for tests. As in a folder, bad pictures are passed over and named.
func openCelebA(info Info, opts Options) (*Images, error) {
	dir := filepath.Join(opts.dataDir(), celebaFolder)
	names, err := celebaNames(dir, opts.Split)
	if err != nil {
		return nil, err
	}
	classes := []string{""}
	var class map[string]int
	if opts.Attribute != "" {
		if class, err = celebaAttribute(dir, opts.Attribute); err != nil {
			return nil, err
		}
		classes = info.ClassNames
	}
	open, closer, err := celebaSource(dir)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	t := &folderTree{set: "celeba", dir: dir, classes: classes}
	for _, name := range names {
		c, known := class[name]
		if opts.Attribute != "" && !known {
			return nil, celebaFault(filepath.Join(dir, celebaAttributes), "it has no line for "+name, userfile.ReplaceIt, nil)
		}
		t.pictures = append(t.pictures, folderFile{name, c})
	}
	im, err := t.read(info, Options{ctx: opts.ctx, Progress: opts.Progress, Channels: 3}, freememory.Bytes(), open)
	if err == nil && opts.Attribute == "" {
		im.Labels = nil
	}
	return im, err
}

// celebaNames are the pictures of a split in the order of the list: NAME PART.
func celebaNames(dir string, split Split) ([]string, error) {
	part := map[Split]string{Train: "0", Test: "2"}[split]
	path := filepath.Join(dir, celebaPartition)
	var names []string
	err := celebaList(path, func(n int, fields []string) error {
		if len(fields) != 2 || !celebaName(fields[0]) || len(fields[1]) != 1 || !strings.Contains("012", fields[1]) {
			return fmt.Errorf("line %d is not a picture and 0, 1 or 2", n)
		}
		if fields[1] == part {
			names = append(names, fields[0])
		}
		return nil
	})
	if err == nil && len(names) == 0 {
		err = celebaFault(path, fmt.Sprintf("it has no pictures of the %s part", split), userfile.ReplaceIt, nil)
	}
	return names, err
}

// celebaAttribute tells which pictures have an attribute. The list: how many there are,
// the attributes' names, then lines of a picture and 1 or -1 for each.
func celebaAttribute(dir, attribute string) (map[string]int, error) {
	path := filepath.Join(dir, celebaAttributes)
	class := map[string]int{}
	column, columns := -1, 0
	err := celebaList(path, func(n int, fields []string) error {
		switch {
		case n == 1:
			return nil
		case n == 2:
			columns = len(fields)
			column = slices.IndexFunc(fields, func(f string) bool { return strings.EqualFold(f, attribute) })
			if column < 0 {
				near := Closest(attribute, fields)
				if near != "" {
					near = "did you mean " + near + "? "
				}
				return &attributeError{fmt.Sprintf("it has no attribute %q: %sthere are %s", attribute, near, strings.Join(fields, ", "))}
			}
			return nil
		case len(fields) != columns+1 || !celebaName(fields[0]) || fields[column+1] != "1" && fields[column+1] != "-1":
			return fmt.Errorf("line %d is not a picture and %d numbers of 1 or -1", n, columns)
		}
		class[fields[0]] = 0
		if fields[column+1] == "1" {
			class[fields[0]] = 1
		}
		return nil
	})
	return class, err
}

// attributeError is of an attribute that the list has not: the file is good.
type attributeError struct{ fault string }

func (e *attributeError) Error() string { return e.fault }

// celebaName keeps to names without folders.
func celebaName(name string) bool {
	return picture.HasEnding(name) && !strings.ContainsAny(name, `/\`) && !hidden(name)
}

// celebaList reads a list line by line, in words.
func celebaList(path string, line func(n int, fields []string) error) error {
	f, size, err := userfile.Open(path)
	switch {
	case userfile.Absent(err):
		return celebaFault(path, "not found", Remedy(fmt.Sprintf("put %s and %s beside %s.zip there", celebaAttributes, celebaPartition, celebaPictures)), err)
	case err != nil:
		return celebaFault(path, userfile.PlainCause(err), remedyFor(err, userfile.ReplaceIt), err)
	}
	defer f.Close()
	if size > celebaListMost {
		return celebaFault(path, fmt.Sprintf("%d bytes: too large for a list", size), userfile.ReplaceIt, nil)
	}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		if err := line(n, fields); err != nil {
			remedy := Remedy(userfile.ReplaceIt)
			if errors.As(err, new(*attributeError)) {
				remedy = "name one of them"
			}
			return celebaFault(path, err.Error(), remedy, err)
		}
	}
	if err := lines.Err(); err != nil {
		return celebaFault(path, userfile.PlainCause(err), userfile.ReplaceIt, err)
	}
	return nil
}

// holdsPictures tells whether a folder that is there has some of CelebA's.
func holdsPictures(folder string) bool {
	f, err := os.OpenFile(folder, os.O_RDONLY|syscall.O_DIRECTORY, 0) // a pipe's opening would wait
	if err != nil {
		return false
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(256)
		if slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, ".jpg") }) {
			return true
		}
		if err != nil {
			return false
		}
	}
}

// celebaSource opens pictures in the folder if it is there, or in the archive.
func celebaSource(dir string) (pictureOpener, io.Closer, error) {
	for _, folder := range []string{celebaPictures, filepath.Join(celebaPictures, celebaPictures)} { // unpacked twice
		at := filepath.Join(dir, folder)
		if holdsPictures(at) {
			return func(name string) (readSeekCloser, int64, error) {
				return userfile.Open(filepath.Join(at, name))
			}, io.NopCloser(nil), nil
		}
	}
	path := filepath.Join(dir, celebaPictures+".zip")
	f, size, err := userfile.Open(path)
	switch {
	case userfile.Absent(err):
		return nil, nil, celebaFault(path, "not found", "put it there, or the folder "+celebaPictures+" that it unpacks to", fs.ErrNotExist)
	case err != nil:
		return nil, nil, celebaFault(path, userfile.PlainCause(err), remedyFor(err, userfile.ReplaceIt), err)
	}
	archive, err := zip.NewReader(f, size)
	if err != nil {
		f.Close()
		return nil, nil, celebaFault(path, userfile.PlainCause(err), userfile.ReplaceIt, err)
	}
	entries := make(map[string]*zip.File, len(archive.File))
	for _, e := range archive.File {
		if name, ok := strings.CutPrefix(e.Name, celebaPictures+"/"); ok && celebaName(name) {
			entries[name] = e
		}
	}
	return func(name string) (readSeekCloser, int64, error) {
		e := entries[name]
		if e == nil {
			return nil, 0, errors.New("not in the archive")
		}
		return unzipped(e)
	}, f, nil
}

// unzipped is a small entry of an archive, whole.
func unzipped(e *zip.File) (readSeekCloser, int64, error) {
	r, err := e.Open()
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, celebaLargest+1))
	switch {
	case err != nil:
		return nil, 0, err
	case len(data) > celebaLargest:
		return nil, 0, fmt.Errorf("more than %d bytes: no picture of this set", celebaLargest)
	}
	return struct {
		*bytes.Reader
		io.Closer
	}{bytes.NewReader(data), io.NopCloser(nil)}, int64(len(data)), nil
}
