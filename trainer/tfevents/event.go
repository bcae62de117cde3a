package tfevents

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// Version is what the first event of a file says of it.
const Version = "brain.Event:2"

// Event is one of a file's.
type Event struct {
	WallTime float64 // seconds since 1970
	Step     int64
	// FileVersion is Version in a file's first event, else "".
	FileVersion string
	// Start takes back what earlier events say of this step and later ones.
	Start    bool
	Scalars  []Scalar
	Pictures []Picture
}

// Scalar is a number of a step.
type Scalar struct {
	Tag   string // "loss"; "a/b" is shown in the group a
	Value float32
}

// Picture is an image of a step.
type Picture struct {
	Tag           string
	Width, Height int
	PNG           []byte
}

// Fields of the messages, with their types of the wire.
const (
	wireVarint, wireFixed64, wireBytes, wireFixed32 = 0, 1, 2, 5

	eventWallTime    = 1<<3 | wireFixed64
	eventStep        = 2<<3 | wireVarint
	eventFileVersion = 3<<3 | wireBytes
	eventSummary     = 5<<3 | wireBytes
	eventSessionLog  = 7<<3 | wireBytes
	sessionStatus    = 1<<3 | wireVarint // 1: START
	summaryValue     = 1<<3 | wireBytes
	valueTag         = 1<<3 | wireBytes
	valueSimple      = 2<<3 | wireFixed32
	valueImage       = 4<<3 | wireBytes
	imageHeight      = 1<<3 | wireVarint
	imageWidth       = 2<<3 | wireVarint
	imageColourspace = 3<<3 | wireVarint
	imageEncoded     = 4<<3 | wireBytes
)

// rgb is Image.colorspace 3; the picture's own header says what it is.
const rgb = 3

// Append adds the event's bytes, without the frame of a record.
func (e Event) Append(b []byte) []byte {
	b = append(b, eventWallTime)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.WallTime))
	if e.Step != 0 {
		b = binary.AppendUvarint(append(b, eventStep), uint64(e.Step))
	}
	if e.FileVersion != "" {
		b = field(b, eventFileVersion, e.FileVersion)
	}
	if e.Start {
		b = append(b, eventSessionLog, 2, sessionStatus, 1)
	}
	if len(e.Scalars)+len(e.Pictures) > 0 {
		var summary, value []byte
		for _, s := range e.Scalars {
			value = field(value[:0], valueTag, s.Tag)
			value = binary.LittleEndian.AppendUint32(append(value, valueSimple), math.Float32bits(s.Value))
			summary = field(summary, summaryValue, value)
		}
		for _, p := range e.Pictures {
			value = field(value[:0], valueTag, p.Tag)
			value = field(value, valueImage, p.message())
			summary = field(summary, summaryValue, value)
		}
		b = field(b, eventSummary, summary)
	}
	return b
}

func (p Picture) message() []byte {
	b := binary.AppendUvarint([]byte{imageHeight}, uint64(p.Height))
	b = binary.AppendUvarint(append(b, imageWidth), uint64(p.Width))
	b = append(b, imageColourspace, rgb)
	return field(b, imageEncoded, p.PNG)
}

func field[T string | []byte](b []byte, name byte, value T) []byte {
	b = binary.AppendUvarint(append(b, name), uint64(len(value)))
	return append(b, value...)
}

// ParseEvent reads an event's bytes. What Event has no field for is passed over.
func ParseEvent(b []byte) (e Event, err error) {
	err = fields(b, func(name, number uint64, value []byte) error {
		switch name {
		case eventWallTime:
			e.WallTime = math.Float64frombits(number)
		case eventStep:
			e.Step = int64(number)
		case eventFileVersion:
			e.FileVersion = string(value)
		case eventSessionLog:
			return fields(value, func(name, number uint64, _ []byte) error {
				e.Start = e.Start || name == sessionStatus && number == 1
				return nil
			})
		case eventSummary:
			return fields(value, func(name, _ uint64, value []byte) error {
				if name != summaryValue {
					return nil
				}
				return e.add(value)
			})
		}
		return nil
	})
	return e, err
}

// add reads a value of a summary, which may also be a histogram or the like.
func (e *Event) add(b []byte) error {
	var s Scalar
	var p Picture
	number, picture := false, false
	err := fields(b, func(name, v uint64, value []byte) error {
		switch name {
		case valueTag:
			s.Tag, p.Tag = string(value), string(value)
		case valueSimple:
			s.Value, number = math.Float32frombits(uint32(v)), true
		case valueImage:
			picture = true
			return fields(value, func(name, v uint64, value []byte) error {
				switch name {
				case imageHeight:
					p.Height = int(v)
				case imageWidth:
					p.Width = int(v)
				case imageEncoded:
					p.PNG = bytes.Clone(value)
				}
				return nil
			})
		}
		return nil
	})
	if number {
		e.Scalars = append(e.Scalars, s)
	}
	if picture {
		e.Pictures = append(e.Pictures, p)
	}
	return err
}

// fields calls f for each field of a message: with its number where it is one, else
// with its bytes.
func fields(b []byte, f func(name, number uint64, value []byte) error) error {
	for len(b) > 0 {
		name, n := binary.Uvarint(b)
		if n <= 0 {
			return ErrDamaged
		}
		b = b[n:]
		var number uint64
		var value []byte
		size := -1 // of the field's content
		switch name & 7 {
		case wireVarint:
			if v, n := binary.Uvarint(b); n > 0 {
				number, size = v, n
			}
		case wireFixed64:
			if len(b) >= 8 {
				number, size = binary.LittleEndian.Uint64(b), 8
			}
		case wireFixed32:
			if len(b) >= 4 {
				number, size = uint64(binary.LittleEndian.Uint32(b)), 4
			}
		case wireBytes:
			if v, n := binary.Uvarint(b); n > 0 && v <= uint64(len(b)-n) {
				value, size = b[n:][:v], n+int(v)
			}
		}
		if size < 0 {
			return fmt.Errorf("%w: field %d", ErrDamaged, name>>3)
		}
		if err := f(name, number, value); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}
