package viz

import "math"

// FrameDelay is what a rate of frames a second becomes in a GIF, which counts in
// whole hundredths of a second: the delay, and the rate that it really gives. 20
// stays 20; 30 becomes a delay of 3, so 33.3. Browsers slow a delay of 1 down to 10,
// so 2 (50 frames a second) is the shortest used; 655.35 s is the longest there is.
func FrameDelay(fps float64) (delay int, actual float64) {
	if !(fps > 0) {
		return FrameDelay(defaultFPS)
	}
	exact := math.Min(100/fps, math.MaxUint16)
	delay = max(2, int(math.Round(exact)))
	return delay, 100 / float64(delay)
}

const defaultFPS = 20
