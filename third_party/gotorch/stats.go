package gotorch

// #include "cgotorch/shim.h"
import "C"

// MemoryStats tell what the binding holds. Under InitOptions.NoCache nobody
// counts bytes, and only Live and Made say anything.
type MemoryStats struct {
	Live        int64 // tensors that Go holds
	Made        int64 // tensors that Go was ever given
	BytesUsed   int64 // CPU memory of tensors, those inside libtorch too
	BytesPeak   int64 // the most that BytesUsed has been since ResetPeak
	BytesCached int64 // CPU memory kept for reuse
	CacheHits   int64 // large blocks served from it
	CacheMisses int64 // large blocks that came from the system
	Faults      int64 // failures that FailAllocations has still to cause
}

// Stats counts tensors and CPU memory.
func Stats() MemoryStats {
	attend()
	s := C.c_gt_get_stats()
	return MemoryStats{
		Live:        int64(s.handles_made - s.handles_freed),
		Made:        int64(s.handles_made),
		BytesUsed:   int64(s.bytes_used),
		BytesPeak:   int64(s.bytes_peak),
		BytesCached: int64(s.bytes_cached),
		CacheHits:   int64(s.block_hits),
		CacheMisses: int64(s.block_misses),
		Faults:      int64(s.faults),
	}
}

// ResetPeak starts MemoryStats.BytesPeak anew.
func ResetPeak() { attend(); check("ResetPeak", C.c_gt_reset_peak().err) }

// EmptyCache gives CPU memory that is kept for reuse back to the system.
func EmptyCache() { attend(); check("EmptyCache", C.c_gt_empty_cache().err) }

// SetMemoryLimit makes CPU allocations beyond so many bytes fail; 0: no limit.
// Under InitOptions.NoCache it is an *Error.
func SetMemoryLimit(bytes int64) {
	attend()
	check("SetMemoryLimit", C.c_gt_set_memory_limit(C.int64_t(bytes)).err)
}

// SetNumThreads sets the cores that a goroutine inside a scope computes with,
// 1 or more.
func SetNumThreads(n int32) {
	attend()
	setNumThreads(int(n))
}

func setNumThreads(n int) {
	check("SetNumThreads", C.c_gt_set_threads(C.int64_t(n)).err)
	numThreads.Store(int64(n))
}

// NumThreads is what SetNumThreads was given.
func NumThreads() int { attend(); return int(numThreads.Load()) }
