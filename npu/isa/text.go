package isa

import (
	"fmt"
	"io"
	"strings"
)

// String is the command as text: Arm's name, then its fields. Bits of the parameter that no field has are shown as "reserved".
func (c Command) String() string {
	i := table[c.Op]
	var b strings.Builder
	b.WriteString(c.Op.String())
	rest := c.Param
	for _, f := range i.fields {
		mask := uint16(1<<f.bits-1) << f.shift
		v := int(c.Param & mask >> f.shift)
		rest &^= mask
		switch {
		case v < len(f.names) && f.names[v] != "":
			fmt.Fprintf(&b, " %s=%s", f.name, f.names[v])
		case f.signed:
			fmt.Fprintf(&b, " %s=%d", f.name, int16(v))
		default:
			fmt.Fprintf(&b, " %s=%d", f.name, v)
		}
	}
	switch i.payload {
	case "addr":
		fmt.Fprintf(&b, " addr=0x%x", c.Address())
		rest &^= 0xff
	case "stride":
		v := signExtend40(c.Address())
		fmt.Fprintf(&b, " stride=%d", v)
		if rest &^= 0xff; v < 0 {
			rest = 0 // the sign may reach into the bits above
		}
	case "length", "scale":
		fmt.Fprintf(&b, " %s=%d", i.payload, c.Value)
	}
	if rest != 0 {
		fmt.Fprintf(&b, " reserved=0x%x", rest)
	}
	return b.String()
}

// Disassemble writes a stream as text, a command a line with the byte offset of its word.
func Disassemble(w io.Writer, list []Command) error {
	at := 0
	for _, c := range list {
		if _, err := fmt.Fprintf(w, "%06x  %s\n", at, c); err != nil {
			return err
		}
		if at += 4; c.Op&Payload != 0 {
			at += 4
		}
	}
	return nil
}

// signExtend40 is a 40-bit two's complement value.
func signExtend40(v uint64) int64 { return int64(v<<24) >> 24 }
