package picture_test

import (
	"bytes"
	"image"
	"io"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"

	"flowmatch/datasets/picture"
	"flowmatch/datasets/picture/picturetest"
)

// A picture costs 8 bytes a pixel beside what any file may cost, whatever its head, its chunks and its profile claim.
func TestCost(t *testing.T) {
	faulttest.Measures(t)
	small := image.NewGray(image.Rect(0, 0, 8, 8))
	png, jpeg := picturetest.PNG(small), picturetest.JPEG(small)
	blank := image.NewNRGBA(image.Rect(0, 0, 3000, 2000))
	for name, file := range map[string][]byte{
		"a blank picture":          picturetest.PNG(blank),
		"a blank JPEG":             picturetest.JPEG(image.NewGray(image.Rect(0, 0, 4000, 3000))),
		"a claim of 67 megapixels": append(picturetest.WithHead(8192, 8192), make([]byte, 20_000)...),
		"a claim of more":          picturetest.WithHead(1<<31-1, 1<<31-1),
		"a profile that unfolds":   picturetest.WithChunk(png, "iCCP", "name\x00\x00"+picturetest.Zlibbed(strings.Repeat("\x00", 64<<20)), "IDAT"),
		"many chunks":              picturetest.WithChunk(png, "tEXt", strings.Repeat("\x00\x00\x00\x00tEXt\x00\x00\x00\x00", 500_000), "IDAT"),
		"a large chunk":            picturetest.WithChunk(png, "eXIf", strings.Repeat("II*\x00\x08\x00\x00\x00\xff\xff", 1<<20), "IDAT"),
		"segments without end":     append([]byte("\xff\xd8"), bytes.Repeat([]byte("\xff\xe1\x00\x10Exif\x00\x00MM\x00*\x00\x00\x00\x08"), 500_000)...),
		"markers without end":      append([]byte("\xff\xd8\xff"), bytes.Repeat([]byte("\xff"), 8<<20)...),
		"bytes behind the pixels":  append(bytes.Clone(jpeg), make([]byte, 8<<20)...),
	} {
		pixels := int64(0)
		read := func() {
			p, err := picture.ReadHead(io.NewSectionReader(bytes.NewReader(file), 0, int64(len(file))), int64(len(file)))
			if err == nil {
				pixels = p.Pixels()
				_, _, err = p.Decode()
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("%s: %.2000s", name, err)
			}
		}
		read()
		faulttest.Bounded(t, name, len(file)+int(4*pixels), read)
	}
}
