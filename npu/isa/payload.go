package isa

import (
	"encoding/binary"
	"fmt"
)

// Payload1 is the first driver payload format, COP1: which hardware the program is for, and the program. It is a list of actions; Arm's driver
// refuses it unless Config and ID are those of the hardware.
type Payload1 struct {
	Release, Patch int    // version of the optimizer
	Config         uint32 // expected configuration register
	ID             uint32 // expected architecture version
	Pad            int    // NOP actions that align the stream
	Stream         []byte // the command stream
}

const (
	cop1          = 'C' | 'O'<<8 | 'P'<<16 | '1'<<24
	optimizerID   = 1
	streamID      = 2
	nopID         = 5
	maxStreamWord = 1<<24 - 1 // the length field has 24 bits
)

// The fields of the configuration word.
const (
	ProductU55 = 0
	ProductU65 = 1
	ProductU85 = 2
)

// Config is a configuration word taken apart.
type Config struct {
	Product   int // ProductU55...
	MACs      int // multiply-accumulates a cycle
	SHRAM     int // KiB, of all cores
	StreamVer int // version of the command stream
}

// ParseConfig takes a configuration word apart.
func ParseConfig(w uint32) Config {
	return Config{Product: int(w >> 28), MACs: 1 << (w & 15), SHRAM: int(w >> 8 & 0xff), StreamVer: int(w >> 4 & 15)}
}

// ReadPayload decodes a COP1 payload; the error says which word is not as it must be.
func ReadPayload(b []byte) (*Payload1, error) {
	if len(b) < 4 || len(b)%4 != 0 {
		return nil, fmt.Errorf("a driver payload of %d bytes is no list of 32-bit words", len(b))
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
	n := len(b) / 4
	if w := word(0); w != cop1 {
		if w == cop1+1<<24 {
			return nil, fmt.Errorf("the driver payload has format COP2, which is not supported yet; compile with --cop-format COP1")
		}
		return nil, fmt.Errorf("word 0 of the driver payload is 0x%08x, not COP1", w)
	}
	p := &Payload1{}
	configured := false
	for i := 1; i < n; i++ {
		w := word(i)
		switch id := w & 0xff; {
		case id == optimizerID && !configured && i+2 < n && w>>8&0xff == 0 && w>>24 == 0:
			p.Release, p.Patch = int(w>>16&15), int(w>>20&15)
			p.Config, p.ID = word(i+1), word(i+2)
			configured = true
			i += 2
		case w == nopID && configured:
			p.Pad++
		case id == streamID && configured:
			length := int(w>>8&0xff)<<16 | int(w>>16)
			if length != n-i-1 {
				return nil, fmt.Errorf("word %d of the driver payload: a stream of %d words, but %d follow", i, length, n-i-1)
			}
			p.Stream = b[4*(i+1):]
			return p, nil
		default:
			return nil, fmt.Errorf("word %d of the driver payload: 0x%08x is not the action expected here", i, w)
		}
	}
	return nil, fmt.Errorf("the driver payload has no command stream")
}

// Marshal writes the payload.
func (p *Payload1) Marshal() ([]byte, error) {
	n := len(p.Stream) / 4
	if len(p.Stream)%4 != 0 || n > maxStreamWord {
		return nil, fmt.Errorf("a command stream of %d bytes: at most %d words of 4 bytes fit a driver payload", len(p.Stream), maxStreamWord)
	}
	var b []byte
	word := func(w uint32) { b = binary.LittleEndian.AppendUint32(b, w) }
	word(cop1)
	word(optimizerID | uint32(p.Release&15)<<16 | uint32(p.Patch&15)<<20)
	word(p.Config)
	word(p.ID)
	for range p.Pad {
		word(nopID)
	}
	word(streamID | uint32(n>>16)<<8 | uint32(n&0xffff)<<16)
	return append(b, p.Stream...), nil
}
