package gotorch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every line of ops.txt is named in a test, itself or by its wrapper.
func TestEveryOperationHasATest(t *testing.T) {
	ops, err := os.ReadFile("ops.txt")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, pattern := range []string{"*_test.go", "nn/*_test.go", "nn/*/*_test.go"} {
		paths, _ := filepath.Glob(pattern)
		for _, p := range paths {
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(b)
		}
	}
	otherwise := map[string]string{
		"opMeanDims": "MeanDims", "opSumDims": "SumDims", "opArgmaxAll": "Argmax", "opArgminAll": "Argmin", "opSqueezeDim": "Squeeze",
		"opTo": "To", "opCast": "CastTo", "opSum": "SumAll", "opMax": "MaxAll", "opMin": "MinAll", "opRandPerm": "RandPermWith", "opRandInt": "RandIntWith",
		"opIsPinned": "PinMemory", "opAttention": "Attention",
		"RawBCELoss": "BinaryCrossEntropy",
	}
	n := 0
	for _, m := range regexp.MustCompile(`(?m)^(\w+)!?\(.*=`).FindAllStringSubmatch(string(ops), -1) {
		n++
		name := m[1]
		if o, ok := otherwise[name]; ok {
			name = o
		}
		name = strings.TrimPrefix(name, "op")
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(tests.String()) {
			t.Errorf("%s has no test", m[1])
		}
	}
	if n < 150 {
		t.Errorf("only %d operations were found", n)
	}
}
