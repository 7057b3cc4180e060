package graph

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseHugePages asks for large pages behind whole ones of x. A kernel that has none says no, and nothing is lost.
func adviseHugePages(x []float32) {
	if n := len(x) * 4 / hugePage * hugePage; n > 0 {
		_ = unix.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), n), unix.MADV_HUGEPAGE)
	}
}
