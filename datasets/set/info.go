package set

import (
	"path/filepath"
	"slices"
	"strings"
)

// Info is what is known of a set without reading any of its files.
type Info struct {
	Name       string   // the name that opens it again: "mnist"
	Shape      []int    // of a sample: [C,H,W] of images, [2] of points of the plane; nil where only the files tell
	Levels     int      // grey levels of a pixel: 256, or 17 for digits; 0 for points
	ClassNames []string // nil for a set without classes
	Frame      *Frame   // of points:FILE, where they are not as they are in the file
	Data       string   // once opened, what tells data of one name apart: of images their Files' fingerprint, of image:FILE and points:FILE SHA-256 of the shades or points, in hex
}

// Classes is the number of classes.
func (in Info) Classes() int { return len(in.ClassNames) }

// Dim is the number of values of one sample.
func (in Info) Dim() int {
	n := 1
	for _, k := range in.Shape {
		n *= k
	}
	if in.Shape == nil {
		return 0
	}
	return n
}

// Is2D says that the set is a distribution of points in the plane and not one of images.
func (in Info) Is2D() bool { return len(in.Shape) == 1 }

// Clone shares nothing with the original but the frame, which is never changed.
func (in Info) Clone() Info {
	in.Shape, in.ClassNames = slices.Clone(in.Shape), slices.Clone(in.ClassNames)
	return in
}

// Slug is the set's name as the name of a folder. See the function [Slug].
func (in Info) Slug() string { return Slug(in.Name) }

// Slug turns a set's name into the name of its folder under outputs. Plain names
// stay; of kind:PATH the kind and the file's base name without ending remain, in
// small letters, digits, hyphens and underscores: image:pets/Cat.png is image-cat.
func Slug(name string) string {
	kind, path, found := strings.Cut(name, ":")
	if !found {
		return slugWord(name)
	}
	base := filepath.Base(filepath.Clean(path))
	// A folder may have dots in its name; an ending is at most four letters.
	if ext := filepath.Ext(base); len(ext) > 1 && len(ext) <= 5 && len(ext) < len(base) {
		base = strings.TrimSuffix(base, ext)
	}
	return slugWord(kind) + "-" + slugWord(base)
}

func slugWord(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			b.WriteRune(r)
		default:
			b.WriteByte('-')
		}
	}
	if out := strings.Trim(b.String(), "-"); out != "" {
		return out
	}
	return "unnamed"
}
