package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
)

const (
	roomyDisk = 2 << 30  // bytes: runs of images, their films and three states at a time
	roomyShm  = 64 << 20 // bytes: what docker gives
)

// room is what is free in a folder's file system; of one that is not there yet, of the
// nearest that is.
func room(dir string) (free uint64, ok bool) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return 0, false
	}
	for {
		var disk syscall.Statfs_t
		if err := syscall.Statfs(dir, &disk); err == nil {
			return disk.Bavail * uint64(disk.Bsize), true
		}
		if dir == filepath.Dir(dir) {
			return 0, false
		}
		dir = filepath.Dir(dir)
	}
}

func disk(c *cli.Command) finding {
	free, ok := room(c.OutputDir)
	f := finding{Name: "disk", OK: ok && free >= roomyDisk, What: fmt.Sprintf("%.1f GB free for %s", float64(free)/1e9, c.OutputDir)}
	switch {
	case !ok:
		f.What = "nobody tells what is free for " + c.OutputDir
	case !f.OK:
		f.Remedy = "a run of images may need 2 GB: make room, or choose another folder with --output-dir"
	}
	return f
}

// sharedMemory is what processes on one machine exchange tensors through. A run of one
// process needs none.
func sharedMemory() finding {
	f := finding{Name: "/dev/shm", OK: true}
	var disk syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &disk); err != nil {
		f.What = "is not there; nothing of ours needs it"
		return f
	}
	size := disk.Blocks * uint64(disk.Bsize)
	f.What = fmt.Sprintf("%.2f GB, %.2f GB free; nothing of ours needs it", float64(size)/1e9, float64(disk.Bavail*uint64(disk.Bsize))/1e9)
	if size <= roomyShm {
		f.What += " (PyTorch's loaders beside it do: docker run --shm-size 1g)"
	}
	return f
}

// threads looks for more threads than cores: they wait for one another at every step. The
// load is that of all of the machine's cores.
func threads(using, cores, all int, load string, environ func(string) string) finding {
	f := finding{Name: "threads", OK: true, What: fmt.Sprintf("%d of ours on %s", using, terminal.Counted(cores, "core"))}
	if one, err := strconv.ParseFloat(strings.Split(load+" ", " ")[0], 64); err == nil {
		f.What += fmt.Sprintf(", load %.1f", one)
		if one > float64(all)+.5 {
			f.OK, f.Remedy = false, "other programs want the cores, too: end them, or leave them some with --threads"
		}
	}
	if using > cores {
		f.OK, f.Remedy = false, fmt.Sprintf("--threads %d is more than this process may use; %d is best", using, cores)
	}
	for _, name := range []string{"OMP_NUM_THREADS", "MKL_NUM_THREADS"} {
		if n, err := strconv.Atoi(environ(name)); err == nil && n > cores {
			f.OK, f.Remedy = false, fmt.Sprintf("%s is %d, more than there are cores: unset it", name, n)
		}
	}
	return f
}

func loadAverage() string {
	b, _ := os.ReadFile("/proc/loadavg") // without it no load is told
	return string(b)
}

func surroundings(ctx context.Context, c *cli.Command) []finding {
	return []finding{folder(c), data(ctx, c), disk(c), sharedMemory(), checksums(ctx, c)}
}

// usedThreads is asked once libtorch is there.
func usedThreads() finding {
	b, _ := os.ReadFile("/proc/cpuinfo") // without it there is what this process may use
	all := max(cores(), strings.Count("\n"+string(b), "\nprocessor"))
	return threads(torch.NumThreads(), cores(), all, loadAverage(), os.Getenv)
}

// checksums tells whether the files of sets are the published ones.
func checksums(ctx context.Context, c *cli.Command) finding {
	same, other, err := datasets.Altered(ctx, c.DataDir)
	f := finding{Name: "checksums", OK: err == nil && len(other) == 0, What: fmt.Sprintf("%d published files in %s, as published", same, c.DataDir)}
	switch {
	case err != nil:
		f.What = err.Error()
	case len(other) > 0:
		f.What = strings.Join(other, ", ") + ": not as published"
		f.Remedy = "no matter if you packed them anew or changed them; else delete them and run train with --download"
	case same == 0:
		f.What = "no published files in " + c.DataDir
	}
	return f
}
