package models

import (
	"slices"
	"strings"
	"testing"

	"github.com/temper-ml/temper/graph"
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

// TestOthers: the networks adapt to other inputs and classes, end in softmax where asked, check, and compute.
func TestOthers(t *testing.T) {
	for _, name := range Names() {
		m, err := ByName(name, Options{Seed: 1, Input: layers.Shape{28, 28, 1}, Classes: 7, Softmax: true})
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.Trace()
		if err != nil {
			t.Errorf("%s on digits: %v", name, err)
			continue
		}
		want := graph.Shape{graph.Batch, 7}
		if name == "autoencoder" { // gives the pixels, as a vector; it once treated each row of pixels alone
			want = graph.Shape{graph.Batch, 784}
		}
		out := g.Outputs[0]
		if !out.Shape.Equal(want) || graph.KindName(out.Op.Kind) != "Softmax" {
			t.Errorf("%s ends in %v, want %v of a softmax", name, out.Op, want)
		}
		s, err := graph.NewEval(g)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Forward(make([]float32, 784)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		sum := float32(0)
		for _, p := range s.Output(0) {
			sum += p
		}
		if sum < 0.999 || sum > 1.001 {
			t.Errorf("%s: probabilities sum to %g", name, sum)
		}
		s.Close()
	}
}

// TestInputsThatDoNotFit are errors.
func TestInputsThatDoNotFit(t *testing.T) {
	for _, name := range Names() {
		for _, input := range []layers.Shape{{0, 0, 0}, {-1}, {3, 3}, {1, 1, 1, 1}} {
			m, err := ByName(name, Options{Input: input})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Trace(); err == nil && name != "autoencoder" {
				t.Errorf("%s takes an input of %v", name, input)
			}
		}
	}
	if _, err := ByName("resnet-8", Options{Classes: -1}); err == nil {
		t.Error("-1 classes")
	}
}

// TestSameSeedSameWeights, and another seed others.
func TestSameSeedSameWeights(t *testing.T) {
	kernel := func(seed uint64) []float32 {
		m, err := ByName("ds-cnn", Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.Trace()
		if err != nil {
			t.Fatal(err)
		}
		return g.Var("conv2d/kernel").Data
	}
	if !slices.Equal(kernel(1), kernel(1)) || slices.Equal(kernel(1), kernel(2)) {
		t.Error("weights do not follow the seed")
	}
}

func TestNearestName(t *testing.T) {
	for _, c := range [][2]string{
		{"resnet8", "resnet-8"}, {"DS-CNN", "ds-cnn"}, {"mobilenet", "mobilenet-v1-0.25"}, {"mobilenetv2", "mobilenet-v2-0.35"}, {"auto-encoder", "autoencoder"},
		{"arm_example", "arm-example"}, {"", "ds-cnn"},
	} {
		_, err := ByName(c[0], Options{})
		if err == nil || !strings.Contains(err.Error(), "did you mean "+c[1]+"?") || !strings.Contains(err.Error(), strings.Join(Names(), ", ")) {
			t.Errorf("%q: error %v, want the suggestion %s", c[0], err, c[1])
		}
	}
}
