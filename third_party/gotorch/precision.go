package gotorch

// #include "cgotorch/shim.h"
import "C"

import (
	"os"
	"slices"
)

// matmulPrecisions are the names that PyTorch has for them, by the C++ part's
// numbers.
var matmulPrecisions = []string{"highest", "high", "medium"}

// SetFloat32MatmulPrecision says how products of float32 may be computed, in the
// whole process: "highest" in float32, "high" with operands rounded to TF32 (10
// bits), "medium" to TF32 on a GPU and to bf16 on a processor that has
// instructions for it. libtorch's own choice is "highest". It is
// torch.set_float32_matmul_precision.
func SetFloat32MatmulPrecision(precision string) {
	const op = "SetFloat32MatmulPrecision"
	attend()
	mode := slices.Index(matmulPrecisions, precision)
	if mode < 0 {
		failf(op, "%q: highest, high or medium", precision)
	}
	check(op, C.c_gt_matmul_precision(C.int64_t(mode)).err)
}

// Float32MatmulPrecision is what SetFloat32MatmulPrecision or AllowTF32 have set.
func Float32MatmulPrecision() string {
	attend()
	r := C.c_gt_matmul_precision(-1)
	check("Float32MatmulPrecision", r.err)
	return matmulPrecisions[int(r.v)&255]
}

// AllowTF32 sets whether convolutions and products of float32 on a GPU may
// round their operands to 10 bits. cuDNN's convolutions do unless told not to.
// Where products may not, Float32MatmulPrecision is "highest" from then on, for
// processors, too.
func AllowTF32(on bool) {
	const op = "AllowTF32"
	needCUDA(op)
	r := C.c_gt_matmul_precision(-1)
	check(op, r.err)
	// libtorch keeps this in two ways, an older and a newer one, and where they contradict
	// each other it neither tells nor sets any of it again.
	mode, processors, convolutions := r.v&255, r.v&(255<<8), C.int64_t(2<<16)
	switch {
	case !on:
		mode, convolutions = 0, 1<<16
		if processors>>8 > 2 { // they may round; 0 leaves what mode makes of it
			processors = 0
		}
	case mode == 0:
		mode = 1
	}
	check(op, C.c_gt_matmul_precision(mode|processors|convolutions).err)
}

// FullPrecision runs f with products and convolutions of float32 computed in
// float32, whatever SetFloat32MatmulPrecision and AllowTF32 say. It holds for the whole process
// meanwhile, and not for the gradients of what f computes, which come later.
func FullPrecision(f func()) {
	const op = "FullPrecision"
	attend()
	const float32s, convolutions = 0, 1 << 16
	r := C.c_gt_matmul_precision(float32s | convolutions)
	check(op, r.err)
	defer func() { check(op, C.c_gt_matmul_precision(r.v).err) }()
	f()
}

// cuBLASWorkspace is the environment variable that cuBLAS reads when it is first
// used; without one of two values its products may differ from run to run.
const cuBLASWorkspace = "CUBLAS_WORKSPACE_CONFIG"

// UseDeterministicAlgorithms makes equal runs compute equal numbers on a GPU,
// too, in the whole process; on a CPU they do anyway. It is to be called before
// the first product on the GPU. It costs speed, and TakeWarnings names what
// libtorch cannot do that way.
func UseDeterministicAlgorithms(on bool) {
	const op = "UseDeterministicAlgorithms"
	attend()
	if on && os.Getenv(cuBLASWorkspace) == "" {
		os.Setenv(cuBLASWorkspace, ":4096:8")
	}
	check(op, C.c_gt_deterministic(C.bool(on)).err)
}
