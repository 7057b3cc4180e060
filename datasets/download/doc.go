// Package download fetches files by URL into a cache folder and checks their SHA-256 sums.
//
// Get hands out a file only when its sum is the one asked for. What an interrupted download has written stays beside it, with the ending ".part",
// and the next Get goes on from there (RFC 9110, section 14: Range and If-Range), in the same process or in another.
package download
