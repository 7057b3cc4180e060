// Package mlw is the weight coding of Ethos-U55 and U65: the bit stream, the order in which the hardware takes the weights, and the records of bias and
// scale.
//
// A stream is a list of slices, least significant bit first. A slice has up to 32768 weights with one set of parameters: a Golomb-Rice divisor for the
// weights and one for the runs of zeros between them (or none: zeros are coded as weights). A weight is sent as an index; a slice may bring a new palette of
// 2 to 32 values for the smallest indices, and the indices behind it stand for values directly. Values are |w|*2 + sign.
package mlw

const (
	zdivNone     = 6 // zeros are coded as weights
	zdivEnd      = 7 // end of the stream
	wdivPlain    = 7 // indices of fixed width
	maxSlice     = 1<<15 - 1
	maxIndex     = 511
	maxQuotient  = 31
	maxPalette   = 32
	sliceHeader  = 3 + 15 + 3 + 1 + 1 // bits
	paletteExtra = 5 + 5 + 3          // bits, without the palette's entries
	align        = 16                 // bytes of which a stream is a multiple
)
