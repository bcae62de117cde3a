package doctor

import (
	"errors"
	"strings"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"
)

// Every reason that CUDA can be off for has its own way out.
func TestGPURemedy(t *testing.T) {
	for why, want := range map[string]string{
		"no NVIDIA driver: libcuda.so.1 cannot be opened": "--gpus all",
		"no NVIDIA driver was found":                      "install NVIDIA's driver 580",
		"the NVIDIA driver is too old: libtorch is built for CUDA 13.0, which needs driver 580 or newer": "update NVIDIA's driver",
		"No CUDA GPUs are available":                                     "CUDA_VISIBLE_DEVICES",
		"libtorch_cuda.so is not in /x":                                  "",
		"libtorch_cuda.so cannot be opened: libcudnn.so.9: no such file": "",
		"it was switched off":                                            "",
		"CUDA error: system not yet initialized":                         "",
	} {
		if got := gpuRemedy(why); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", why, got, want)
		}
	}
}

func TestGPUsThatDoNotAnswer(t *testing.T) {
	describe := func(d torch.Device) (what, why string) {
		if d.Index() == 0 {
			return "does not answer", firstLine(errors.New("CUDA error: out of memory\nmore lines"))
		}
		return "Card, 7 of 8 GB free", ""
	}
	const what = "cuda:0 does not answer, cannot be used: CUDA error: out of memory; cuda:1 Card, 7 of 8 GB free"
	for _, c := range []struct {
		asked     string
		ok, fatal bool
	}{{"auto", false, false}, {"cuda", false, true}, {"cuda:0", false, true}, {"cuda:1", true, true}, {"cuda:2", false, true}} {
		f := gpus(2, c.asked, describe)
		if f.OK != c.ok || f.fatal != c.fatal || f.What != what || (f.Remedy == "") != c.ok {
			t.Errorf("--device %s: %+v", c.asked, f)
		}
	}
}

// What does not run on a GPU is said, with what the compiler said; what is switched off is no fault.
func TestKernels(t *testing.T) {
	for _, c := range []struct {
		in                        torch.CUDAKernelsInfo
		ok                        bool
		what, remark, remedy, log string
	}{
		{torch.CUDAKernelsInfo{OK: true, Compiled: 1, Found: 3, Architecture: "sm_90", Compiling: 2140 * time.Millisecond, Folder: "/x"}, true, "compiled for sm_90 in 2.1 s", "kept in /x", "", ""},
		{torch.CUDAKernelsInfo{OK: true, Found: 4, Architecture: "sm_90", Folder: "/x"}, true, "compiled for sm_90 before", "kept in /x", "", ""},
		{torch.CUDAKernelsInfo{OK: true, Compiled: 4, Architecture: "sm_90", Folder: "/x", NotKept: "cannot make /x"}, true, "in 0.0 s", "at each start: cannot make /x", "", ""},
		{torch.CUDAKernelsInfo{OK: true, Compiled: 4, Architecture: "sm_90"}, true, "in 0.0 s", "at each start: nothing names", "", ""},
		{torch.CUDAKernelsInfo{Off: true, Why: "GOTORCH_CUDA_KERNELS=0 switches them off"}, true, "GOTORCH_CUDA_KERNELS=0", "", "", ""},
		{torch.CUDAKernelsInfo{Why: "they do not compile", Log: "x.cuh(1): error"}, false, "slower: they do not compile", "", "report", "x.cuh(1): error"},
	} {
		f := kernels(c.in)
		if f.OK != c.ok || f.fatal || !strings.Contains(f.What, c.what) || !strings.Contains(f.Remark, c.remark) || !strings.Contains(f.Remedy, c.remedy) || (c.remedy == "") != (f.Remedy == "") || f.Log != c.log {
			t.Errorf("%+v: %+v", c.in, f)
		}
	}
}
