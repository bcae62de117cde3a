package trainer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"
)

// What a checkpoint's record claims is refused before it costs memory, of Go's or of libtorch's.
func TestRecordsThatClaim(t *testing.T) {
	faulttest.Measures(t)
	long := strings.Repeat("1,", 4<<20)
	names := strings.Repeat(`"a",`, 2<<20)
	for name, change := range map[string][2]string{
		"a wide network":         {`"model":{`, `"model":{"hidden_dim":1000000000,`},
		"a wide UNet":            {`"kind":"mlp","model":{`, `"kind":"unet","model":{"channels":3,"size":64,"num_channels":1048576,`},
		"a deep UNet":            {`"kind":"mlp","model":{`, `"kind":"unet","model":{"channels":3,"size":64,"num_channels":64,"num_res_blocks":100000000,`},
		"channels without end":   {`"kind":"mlp","model":{`, `"kind":"unet","model":{"channels":3,"size":64,"channel_mult":[` + long + `1],`},
		"a deep transformer":     {`"kind":"mlp","model":{`, `"kind":"dit","model":{"channels":3,"size":64,"depth":1000000000,`},
		"a wide transformer":     {`"kind":"mlp","model":{`, `"kind":"dit","model":{"channels":3,"size":64,"width":1000000000,`},
		"a large picture":        {`"kind":"mlp","model":{`, `"kind":"unet","model":{"channels":3,"size":1000000000,"num_channels":64,`},
		"classes without end":    {`"kind":"mlp","model":{`, `"kind":"unet","model":{"channels":3,"size":64,"num_channels":64,"num_classes":1000000000,`},
		"names without end":      {`"class_names":null`, `"class_names":[` + names + `"a"]`},
		"dimensions without end": {`"shape":[2]`, `"shape":[` + long + `2]`},
	} {
		record := fmt.Sprintf(`{"format":1,"kind":"mlp","model":{},"dataset":{"name":"moons","shape":[2],"classes":0,"class_names":null,"levels":0},`+
			`"training":{"recipe":"default","configuration":%s,"step":1,"seed":42},"made_by":{}}`, must(json.Marshal(Config{})))
		if change[0] == `"model":{` || strings.Contains(change[0], "kind") {
			record = strings.Replace(record, `"model":{}`, `"model":{"x":0}`, 1) // a comma may follow
		}
		changed := strings.Replace(record, change[0], change[1], 1)
		if changed == record {
			t.Fatalf("%s: nothing changed", name)
		}
		d := &weights.Dict{}
		d.Set("net.0.weight", weights.FromFloat32([]float32{1, 2}, 1, 2))
		var file bytes.Buffer
		if err := pth.Write(&file, &weights.File{Tensors: d, Record: json.RawMessage(changed)}); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "ckpt.pth")
		if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		torch.ResetPeak()
		before := torch.Stats().BytesPeak
		faulttest.Bounded(t, name, file.Len(), func() {
			c, err := ReadCheckpoint(path)
			if err == nil {
				net, e := c.Record.Network()
				if err = e; err == nil {
					_, err = c.Network(net, torch.CPU)
				}
			}
			if err == nil {
				t.Errorf("%s: was taken", name)
			} else if len(err.Error()) > 1000 {
				t.Errorf("%s: %.2000s", name, err)
			}
		})
		if grown := torch.Stats().BytesPeak - before; grown > 1<<20 {
			t.Errorf("%s: libtorch allocated %d bytes", name, grown)
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
