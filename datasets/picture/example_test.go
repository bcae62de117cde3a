package picture_test

import (
	"bytes"
	"fmt"
	"image"

	"flowmatch/datasets/picture"
	"flowmatch/datasets/picture/picturetest"
)

func ExampleReadHead() {
	photograph := image.NewNRGBA(image.Rect(0, 0, 4, 3)) // as people see it
	file := picturetest.TurnedJPEG(photograph, 6)
	p, err := picture.ReadHead(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		panic(err)
	}
	fmt.Printf("stored as %dx%d\n", p.Width, p.Height)
	_, done, err := p.Decode()
	fmt.Println("it", done, err)

	_, err = picture.ReadHead(bytes.NewReader([]byte("hello")), 5)
	fmt.Println(err)
	// Output:
	// stored as 3x4
	// it is set upright, as its EXIF says <nil>
	// not a picture: PNG, JPEG, WebP, GIF, BMP and TIFF files are read
}
