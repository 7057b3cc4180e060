package mlw

import "fmt"

// RecordSize is the bytes of a Record.
const RecordSize = 10

// Record is bias and scale of an output channel: the result is (sum + Bias) * Scale / 2^Shift.
type Record struct {
	Bias  int64 // 40 bits
	Scale uint32
	Shift int // 0 to 63
}

// ReadRecords decodes n records.
func ReadRecords(b []byte, n int) ([]Record, error) {
	if n < 0 || len(b)/RecordSize < n {
		return nil, fmt.Errorf("%d bytes for %d records of bias and scale, want %d", len(b), n, n*RecordSize)
	}
	list := make([]Record, n)
	for i := range list {
		r := b[i*RecordSize:]
		bias := uint64(r[0]) | uint64(r[1])<<8 | uint64(r[2])<<16 | uint64(r[3])<<24 | uint64(r[4])<<32
		list[i] = Record{Bias: int64(bias<<24) >> 24, Scale: uint32(r[5]) | uint32(r[6])<<8 | uint32(r[7])<<16 | uint32(r[8])<<24, Shift: int(r[9] & 63)}
	}
	return list, nil
}

// AppendRecord writes a record.
func AppendRecord(b []byte, r Record) ([]byte, error) {
	if r.Bias < -1<<39 || r.Bias >= 1<<39 || r.Shift < 0 || r.Shift > 63 {
		return b, fmt.Errorf("bias %d must have 40 bits and shift %d must be 0 to 63", r.Bias, r.Shift)
	}
	for i := range 5 {
		b = append(b, byte(r.Bias>>(8*i)))
	}
	for i := range 4 {
		b = append(b, byte(r.Scale>>(8*i)))
	}
	return append(b, byte(r.Shift)), nil
}
