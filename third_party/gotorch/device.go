package gotorch

// #include "cgotorch/shim.h"
import "C"

import (
	"fmt"
	"strconv"
	"strings"
)

// Element types, with libtorch's own numbers.
const (
	Byte int8 = iota
	Char
	Short
	Int
	Long
	Half
	Float
	Double
	ComplexHalf
	ComplexFloat
	ComplexDouble
	Bool
	QInt8
	QUInt8
	QInt32
	BFloat16
	// Invalid is no element type.
	Invalid = -1
)

// dtypeSize is the number of bytes of an element, 0 for types without one.
func dtypeSize(d int8) int64 {
	switch d {
	case Byte, Char, Bool:
		return 1
	case Short, Half, BFloat16:
		return 2
	case Int, Float:
		return 4
	case Long, Double:
		return 8
	}
	return 0
}

// Device is where a tensor lives; the zero value is the CPU.
type Device struct {
	T C.Device
}

// standIn is a library that pretends to be a GPU and is opened in the place of the
// CUDA part, or "". scripts/stand-in links it into test programs (-ldflags -X).
var standIn string

// gpuKind is libtorch's number of what "cuda" means: CUDA, or the stand-in's.
var gpuKind = func() C.int8_t {
	if standIn != "" {
		return 15 // HPU
	}
	return 1
}()

// CPU is the processor.
var CPU = Device{C.Device{kind: 0, index: 0}}

// ParseDevice reads "cpu", "cuda" or "cuda:N".
func ParseDevice(s string) (Device, error) {
	kind, index, colon := strings.Cut(s, ":")
	n := 0
	if colon {
		var err error
		if n, err = strconv.Atoi(index); err != nil || n < 0 || n > 127 {
			return Device{}, fmt.Errorf("device %q: the number after the colon must be 0 to 127", s)
		}
	}
	switch {
	case kind == "cpu" && n == 0:
		return CPU, nil
	case kind == "cuda":
		return Device{C.Device{kind: gpuKind, index: C.int8_t(n)}}, nil
	}
	return Device{}, fmt.Errorf("device %q is unknown: cpu, cuda or cuda:N", s)
}

// NewDevice is ParseDevice that panics.
func NewDevice(deviceType string) Device {
	d, err := ParseDevice(deviceType)
	if err != nil {
		failf("NewDevice", "%v", err)
	}
	return d
}

// IsCUDA tells whether the device is a GPU.
func (d Device) IsCUDA() bool { return d.T.kind == gpuKind }

// need panics with the reason where d is a GPU and CUDA is off.
func (d Device) need(op string) {
	if d.IsCUDA() && cudaWhy != "" {
		needCUDA(op)
	}
}

// Index is the device's number.
func (d Device) Index() int { return max(0, int(d.T.index)) }

func (d Device) String() string {
	if d.IsCUDA() {
		return "cuda:" + strconv.Itoa(d.Index())
	}
	return "cpu"
}

// Options say what a new tensor is to be; the zero value is float32 on the
// CPU.
type Options struct {
	Dtype  int8   // Float unless set; Byte (0) is asked for by DtypeSet
	Device Device // CPU
	Pinned bool   // page-locked memory, for copies to a GPU
	// DtypeSet says that Dtype is meant even if it is 0.
	DtypeSet bool
}

func (o Options) c(op string) C.gt_options {
	o.Device.need(op)
	d := o.Dtype
	if d == 0 && !o.DtypeSet {
		d = Float
	}
	return C.gt_options{dtype: C.int8_t(d), device: o.Device.T, pinned: C.bool(o.Pinned)}
}
