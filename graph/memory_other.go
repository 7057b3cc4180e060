//go:build !linux

package graph

// adviseHugePages: other systems choose page sizes themselves.
func adviseHugePages([]float32) {}
