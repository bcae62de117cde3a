package viz

import (
	"math"
	"strconv"
	"strings"
)

// tick is a mark of an axis.
type tick struct {
	at    float64
	label string
}

// linearTicks are the multiples of 1, 2 or 5 times a power of ten within [lo, hi],
// so far apart that they part it into at most the wanted number of pieces.
func linearTicks(lo, hi float64, wanted int) []tick {
	if !(hi > lo) || wanted < 1 {
		return nil
	}
	rough := (hi - lo) / float64(wanted)
	ten := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * ten
	for _, m := range []float64{1, 2, 5} {
		if m*ten >= rough*(1-1e-9) {
			step = m * ten
			break
		}
	}
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var ticks []tick
	first := math.Ceil(lo/step - 1e-9)
	for i := 0; i <= wanted; i++ { // counted, since first+1 is first where it is huge
		k := first + float64(i)
		at := k * step
		if at > hi+1e-9*step {
			break
		}
		if k == 0 {
			at = 0 // never "-0"
		}
		ticks = append(ticks, tick{at, number(at, decimals)})
	}
	return ticks
}

// logTicks are powers of ten within [lo, hi], at most eight of them; where they are
// few, 2 and 5 times them too.
func logTicks(lo, hi float64) []tick {
	multiples := []float64{1}
	decades := math.Log10(hi) - math.Log10(lo)
	stride := max(1, math.Ceil(decades/8))
	if decades < 3 {
		multiples = []float64{1, 2, 5}
	}
	var ticks []tick
	for e := math.Floor(math.Log10(lo)/stride) * stride; e <= math.Log10(hi); e += stride {
		for _, m := range multiples {
			at := m * math.Pow(10, e)
			if at >= lo*(1-1e-9) && at <= hi*(1+1e-9) {
				ticks = append(ticks, tick{at, number(at, max(0, -int(e)))})
			}
		}
	}
	return ticks
}

// number writes a label: thousands parted, very large and very small ones as 1e9.
func number(v float64, decimals int) string {
	if a := math.Abs(v); decimals > 5 || a >= 1e9 {
		if v == 0 {
			return "0"
		}
		return strings.Replace(strconv.FormatFloat(v, 'g', 4, 64), "e-0", "e-", 1)
	}
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	whole, rest := s, ""
	if dot := strings.IndexByte(s, '.'); dot >= 0 {
		whole, rest = s[:dot], s[dot:]
	}
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + rest
}
