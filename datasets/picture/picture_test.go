package picture

import (
	"bytes"
	"encoding/binary"
	"testing"

	"flowmatch/datasets/picture/picturetest"
)

func TestEXIF(t *testing.T) {
	good := picturetest.EXIFBlock(binary.LittleEndian, 3, 6)
	far := bytes.Clone(good)
	binary.LittleEndian.PutUint32(far[4:], 1<<31)
	two := bytes.Clone(good)
	two[12+2+12+4] = 2 // of a count of 2
	many := bytes.Clone(good)
	many[12], many[13] = 0xff, 0xff
	for name, c := range map[string]struct {
		block []byte
		want  Orientation
	}{
		"little endian":  {good, 6},
		"big endian":     {picturetest.EXIFBlock(binary.BigEndian, 3, 6), 6},
		"a byte":         {picturetest.EXIFBlock(binary.BigEndian, 1, 8), 8},
		"a long":         {picturetest.EXIFBlock(binary.BigEndian, 4, 3), 3},
		"text":           {picturetest.EXIFBlock(binary.BigEndian, 2, 3), upright},
		"0":              {picturetest.EXIFBlock(binary.LittleEndian, 3, 0), upright},
		"9":              {picturetest.EXIFBlock(binary.LittleEndian, 3, 9), upright},
		"262":            {picturetest.EXIFBlock(binary.LittleEndian, 3, 262), upright},
		"two of them":    {two, upright},
		"far directory":  {far, upright},
		"many entries":   {many, 6},
		"no TIFF":        {[]byte("MM*\x00 and so on"), upright},
		"no bytes":       {nil, upright},
		"no orientation": {good[:26], upright},
	} {
		if got := exifOrientation(c.block); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	for n := range good {
		if got := exifOrientation(good[:n]); got != upright && n < 12+2+2*12 {
			t.Errorf("cut to %d bytes: %d", n, got)
		}
	}
}

// TestPNGProfiles: the profile of a PNG is packed, and known by what it says.
func TestPNGProfiles(t *testing.T) {
	plain := picturetest.PNG(picturetest.Motley(4, 4))
	for body, foreign := range map[string]bool{
		"ICC\x00\x00" + picturetest.Zlibbed("desc Display P3"):        true,
		"ICC\x00\x00" + picturetest.Zlibbed("desc sRGB IEC61966-2.1"): false,
		"sRGB IEC61966-2.1\x00\x00" + picturetest.Zlibbed("desc"):     false,
		"ICC\x00\x00rubbish": true,
	} {
		m := pngMeta(bytes.NewReader(picturetest.WithChunk(plain, "iCCP", body, "IDAT")))
		if m.profile != foreign {
			t.Errorf("%q: foreign %v", body, m.profile)
		}
	}
}
