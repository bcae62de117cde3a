package fetch

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/disk/disktest"
	"github.com/wangkuiyi/gotorch/faulttest"
)

// Each operation of a download fails in each way, with an earlier file by the name and without, from the start and going on
// from a part: by the name is the file of before or the new one, the message names path and operation, the disk's trouble is
// not taken for the address's, and the next download is whole.
func TestEveryFaultOfADownload(t *testing.T) {
	const path = "/data/file.bin"
	data, old := someBytes(150_000), []byte("of before")
	url := (&server{data: data}).url(t)
	tried := 0
	for _, c := range []struct{ old, part []byte }{{nil, nil}, {old, data[:50_000]}, {nil, someBytes(200_000)}} {
		base := disktest.NewMemory("/data")
		restore := disk.Use(base)
		for name, content := range map[string][]byte{path: c.old, Partial(path): c.part} {
			if content != nil {
				if err := base.WriteFile(name, content); err != nil {
					t.Fatal(err)
				}
			}
		}
		restore()
		download := func() error {
			return File(context.Background(), path, wanted(data, url), Options{StallTimeout: longStall, pause: testPause})
		}
		for f := range disktest.Failures(t, base, nil, download) {
			tried++
			what, err, m, op, failing := f.What, f.Err, f.On, f.Op, f.Of
			got, rerr := m.ReadFile(path)
			whole := rerr == nil && bytes.Equal(got, data)
			if !whole && (c.old == nil && rerr == nil || c.old != nil && !bytes.Equal(got, c.old)) {
				t.Errorf("%s: %d bytes have the name, %v", what, len(got), rerr)
			}
			var network *Error
			words := map[string]string{"open folder": "open the folder", "fsync folder": "fsync the folder", "open": "create"}[op.Name]
			if words == "" {
				words = op.Name
			}
			switch {
			case err == nil && (!whole || op.Name != "close" && op.Name != "remove"): // it is on the disk then
				t.Errorf("%s: a success", what)
			case errors.As(err, &network):
				t.Errorf("%s: the address has the blame: %v", what, err)
			case err != nil && (!errors.Is(err, failing.Err) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), words)):
				t.Errorf("%s: the message is %v", what, err)
			}
			for _, name := range m.Names("/data") {
				if name != "file.bin" && name != "file.bin.part" {
					t.Errorf("%s: left %s", what, name)
				}
			}
			err = download()
			if got, rerr := m.ReadFile(path); err != nil || rerr != nil || !bytes.Equal(got, data) {
				t.Errorf("%s: the next time: %v, %v", what, err, rerr)
			}
		}
	}
	faulttest.Report(t, "3", tried)
}
