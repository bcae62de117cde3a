package doctor

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
)

// fetchLibtorch runs the set-up script that lies beside the programs: it knows where
// libtorch is to be had, its SHA-256, and what the machine lacks.
func fetchLibtorch(ctx context.Context, env cli.Env) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	if exe, err = filepath.EvalSymlinks(exe); err != nil {
		return err
	}
	script := filepath.Join(filepath.Dir(filepath.Dir(exe)), "scripts", "setup")
	if _, err := os.Stat(script); err != nil {
		return fmt.Errorf("there is no scripts/setup beside the folder of this program: %w; set LIBTORCH to the folder of a libtorch of your own", err)
	}
	if err := torch.CheckBeside(filepath.Dir(script)); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, script, "--libtorch")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 2 * time.Second
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, io.Discard, env.Stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("libtorch was not fetched: %w; the line above says why", err)
	}
	return nil
}
