package trainer

import (
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/faulttest"
)

// A disk that is full at any size from nothing to two and a half checkpoints: the last good state stays, and the next
// save is as good as any once there is room.
func TestFullDisk(t *testing.T) {
	const dir = "/run"
	all := states(t, 4)
	size := len(rendered(t, all[2]))
	tried := 0
	for percent := 0; percent <= 250; percent += 5 {
		m := savedIn(t, dir, 2, all[:2])
		restore := disk.Use(m)
		m.Room = m.Used() + size*percent/100
		err := (&Folder{Dir: dir, Keep: 2}).Save(all[2])
		s, name, _, rerr := Newest(dir)
		if rerr != nil || name != StateFile || s.Step() != 2 && (s.Step() != 1 || err == nil) {
			t.Errorf("room for %d %%: %v; then %s, %v", percent, err, name, rerr)
		}
		if err != nil && !strings.Contains(err.Error(), "no space left") {
			t.Errorf("room for %d %%: %v", percent, err)
		}
		m.Room = -1
		goOn(t, "with room again", dir, 2, all[3])
		restore()
		tried++
	}
	faulttest.Report(t, "9", tried)
}
