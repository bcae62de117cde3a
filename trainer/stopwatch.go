package trainer

import (
	"time"

	torch "github.com/wangkuiyi/gotorch"
)

// stopwatch adds up the time that a device works on something. A GPU is only told
// what to do: there events mark begin and end, and are read when the total is
// asked for.
type stopwatch struct {
	begin time.Time
	sum   time.Duration
	marks []*torch.CUDAEvent // begin, end, begin, end, ...
}

func (s *stopwatch) start(d torch.Device) {
	s.begin = time.Now()
	s.mark(d)
}

func (s *stopwatch) stop(d torch.Device) {
	if !d.IsCUDA() {
		s.sum += time.Since(s.begin)
	}
	s.mark(d)
}

func (s *stopwatch) mark(d torch.Device) {
	if d.IsCUDA() {
		e := torch.NewCUDAEvent(true)
		e.Record(torch.GetCurrentCUDAStream(d))
		s.marks = append(s.marks, e)
	}
}

// total waits for what was marked.
func (s *stopwatch) total() time.Duration {
	for i := 0; i+1 < len(s.marks); i += 2 {
		begin, end := s.marks[i], s.marks[i+1]
		end.Synchronize()
		s.sum += time.Duration(begin.Elapsed(end) * float64(time.Millisecond))
		begin.Close()
		end.Close()
	}
	s.marks = s.marks[:0]
	return s.sum
}
