package isa

import (
	"encoding/binary"
	"fmt"
)

// Command is one command of a stream.
type Command struct {
	Op    Op
	Param uint16
	Value uint32 // payload, of commands that have one
}

// Address is the 40-bit value of a command with an address.
func (c Command) Address() uint64 { return uint64(c.Param&0xff)<<32 | uint64(c.Value) }

// WithAddress is a command that carries a 40-bit address or stride.
func WithAddress(op Op, v int64) Command {
	return Command{Op: op, Param: uint16(uint64(v) >> 32 & 0xff), Value: uint32(uint64(v))}
}

// Decode reads a command stream, 32-bit little-endian words. The error names the word.
func Decode(stream []byte) ([]Command, error) {
	if len(stream)%4 != 0 {
		return nil, fmt.Errorf("a command stream of %d bytes is no list of 32-bit words", len(stream))
	}
	var list []Command
	for at := 0; at < len(stream); at += 4 {
		w := binary.LittleEndian.Uint32(stream[at:])
		c := Command{Op: Op(w), Param: uint16(w >> 16)}
		if _, ok := table[c.Op]; !ok {
			return nil, fmt.Errorf("word %d: 0x%08x is no command of Ethos-U55 or U65", at/4, w)
		}
		if c.Op&Payload != 0 {
			if at += 4; at >= len(stream) {
				return nil, fmt.Errorf("word %d: the stream ends before the payload of %s", at/4-1, c.Op)
			}
			c.Value = binary.LittleEndian.Uint32(stream[at:])
		}
		list = append(list, c)
	}
	return list, nil
}

// Encode writes a command stream.
func Encode(list []Command) []byte {
	var b []byte
	for _, c := range list {
		b = binary.LittleEndian.AppendUint32(b, uint32(c.Op)|uint32(c.Param)<<16)
		if c.Op&Payload != 0 {
			b = binary.LittleEndian.AppendUint32(b, c.Value)
		}
	}
	return b
}
