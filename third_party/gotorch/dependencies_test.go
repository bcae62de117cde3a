package gotorch

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree makes empty files under a new folder.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range files {
		path := filepath.Join(root, f)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// What cuDNN opens by name is open before libtorch's CUDA part is.
func TestOrderOfCUDALibraries(t *testing.T) {
	const needsNVIDIA = "libcudnn.so.9: cannot open shared object file: No such file or directory"
	for _, c := range []struct {
		name  string
		files []string
		fails string // what opening libtorch_cuda.so says the first time
		want  []string
	}{
		{"the wheels' layout", []string{
			"torch/lib/libtorch_cuda.so", "nvidia/cu13/lib/libnvrtc.so.13", "nvidia/cu13/lib/libnvrtc.alt.so.13",
			"nvidia/cu13/lib/libnvrtc-builtins.so.13.0", "nvidia/cu13/lib/libnvJitLink.so.13", "nvidia/cudnn/lib/libcudnn.so.9",
		}, "", []string{
			"nvidia/cu13/lib/libnvJitLink.so.13", "nvidia/cu13/lib/libnvrtc-builtins.so.13.0", "nvidia/cu13/lib/libnvrtc.so.13", "torch/lib/libtorch_cuda.so",
		}},
		{"the archives' layout", []string{
			"torch/lib/libtorch_cuda.so", "torch/lib/libnvrtc-builtins-0a1b.so.13.0", "torch/lib/libnvrtc-2c3d.so.13",
		}, "", []string{"torch/lib/libnvrtc-builtins-0a1b.so.13.0", "torch/lib/libnvrtc-2c3d.so.13", "torch/lib/libtorch_cuda.so"}},
		{"none of them", []string{"torch/lib/libtorch_cuda.so"}, "", []string{"torch/lib/libtorch_cuda.so"}},
		{"packages in another folder", []string{
			"torch/lib/libtorch_cuda.so", "system/nvidia/cudnn/lib/libcudnn.so.9", "system/nvidia/cu13/lib/libnvrtc.so.13", "system/nvidia/cu13/lib/libcublas.so.13",
			"system/nvidia/cu13/lib/libcublasLt.so.13",
		}, needsNVIDIA, []string{
			"system/nvidia/cu13/lib/libnvrtc.so.13", "torch/lib/libtorch_cuda.so",
			"system/nvidia/cu13/lib/libcublasLt.so.13", "system/nvidia/cu13/lib/libcublas.so.13", "system/nvidia/cudnn/lib/libcudnn.so.9",
			"system/nvidia/cu13/lib/libnvrtc.so.13", "torch/lib/libtorch_cuda.so",
		}},
		{"a damaged library", []string{"torch/lib/libtorch_cuda.so", "system/nvidia/cudnn/lib/libcudnn.so.9"}, "file too short", []string{"torch/lib/libtorch_cuda.so"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, c.files...)
			lib := Library{Dir: filepath.Join(root, "torch/lib"), packages: []string{filepath.Join(root, "system")}}
			var got []string
			fails := c.fails
			why := openCUDA(InitOptions{}, lib, func() bool { return true }, func(path string, global bool) error {
				rel, err := filepath.Rel(root, path)
				if err != nil || !global {
					t.Errorf("%s, global %v", path, global)
				}
				got = append(got, rel)
				if strings.HasSuffix(path, "libtorch_cuda.so") && fails != "" {
					err, fails = errors.New(fails), ""
					return err
				}
				return nil
			})
			if !slices.Equal(got, c.want) {
				t.Errorf("opened\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if (why != "") != (c.name == "a damaged library") {
				t.Errorf("CUDA is off: %q", why)
			}
		})
	}
}

func TestOpenCUDANeedsADriver(t *testing.T) {
	lib := Library{Dir: tree(t, "libtorch_cuda.so")}
	none := func(string, bool) error { t.Error("something was opened"); return nil }
	if why := openCUDA(InitOptions{}, lib, func() bool { return false }, none); !strings.Contains(why, "no NVIDIA driver") {
		t.Errorf("%q", why)
	}
	if why := openCUDA(InitOptions{NoCUDA: true}, lib, func() bool { return true }, none); why != "it was switched off" {
		t.Errorf("%q", why)
	}
}

// Where LD_LIBRARY_PATH leads to another cuDNN, the parts of ours are open first.
func TestOthersCuDNN(t *testing.T) {
	root := tree(t, "torch/lib/libtorch_cuda.so", "nvidia/cudnn/lib/libcudnn.so.9", "nvidia/cudnn/lib/libcudnn_cnn.so.9", "nvidia/cudnn/lib/libcudnn_graph.so.9",
		"system/libcudnn_cnn.so.9", "empty/readme")
	lib := Library{Dir: filepath.Join(root, "torch/lib")}
	for path, want := range map[string][]string{
		"":                           {"libtorch_cuda.so"},
		filepath.Join(root, "empty"): {"libtorch_cuda.so"},
		filepath.Join(root, "empty") + ":" + filepath.Join(root, "system"): {"libcudnn_graph.so.9", "libcudnn_cnn.so.9", "libtorch_cuda.so"},
	} {
		t.Setenv("LD_LIBRARY_PATH", path)
		var got []string
		openCUDA(InitOptions{ForceCUDA: true}, lib, nil, func(path string, _ bool) error {
			if strings.Contains(path, "system") {
				t.Errorf("the other one was opened: %s", path)
			}
			got = append(got, filepath.Base(path))
			return nil
		})
		if !slices.Equal(got, want) {
			t.Errorf("LD_LIBRARY_PATH %q: opened %q, want %q", path, got, want)
		}
	}
}
