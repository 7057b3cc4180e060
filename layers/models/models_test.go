package models

import (
	"testing"

	"github.com/temper-ml/temper/layers"
)

// TestSizes compares parameters and multiply-accumulates with those of the published networks: MLPerf Tiny's own counts, where a dropout layer
// has a counter of its own here.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name      string
		all, macs int
	}{
		{"arm-example", 320 + 2*9248 + 15690, 28*28*32*9 + 28*28*32*288 + 14*14*32*288 + 1568*10},
		{"autoencoder", 269_992, 264_192},
		{"resnet-8", 78_666, 12_501_632},
		{"ds-cnn", 24_908 + 2, 2_656_768},
		{"mobilenet-v1-0.25", 221_794, 7_489_664},
		{"mobilenet-v2-0.35", 412_770, 10_656_688},
	} {
		m, err := ByName(c.name, Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.Trace()
		if err != nil {
			t.Fatal(err)
		}
		s := layers.Summary(g)
		if got := s.Trainable + s.NonTrainable; got != c.all || s.MACs != c.macs {
			t.Errorf("%s: %d parameters and %d MACs, want %d and %d", c.name, got, s.MACs, c.all, c.macs)
		}
	}
}
