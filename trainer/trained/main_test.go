package trained

import (
	"testing"

	"github.com/wangkuiyi/gotorch/torchtest"
)

func TestMain(m *testing.M) { torchtest.Main(m) }
