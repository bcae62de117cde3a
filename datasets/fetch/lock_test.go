package fetch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLock(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(context.Background(), dir, func() { t.Error("waited for nobody") })
	if err != nil {
		t.Fatal(err)
	}
	waiting, done := make(chan bool), make(chan error)
	go func() {
		again, err := Lock(context.Background(), dir, func() { close(waiting) })
		if err == nil {
			again()
		}
		done <- err
	}()
	<-waiting
	select {
	case <-done:
		t.Fatal("two had the lock")
	case <-time.After(20 * time.Millisecond):
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := Lock(ctx, dir, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	unlock()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := Lock(context.Background(), filepath.Join(dir, "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
