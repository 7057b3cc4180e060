package graph

import (
	"fmt"
	"math"
	"testing"
)

// TestWindow: output sizes and leading padding as TFLite computes them (tensorflow/lite/kernels/padding.h), one dimension at a time.
func TestWindow(t *testing.T) {
	for _, c := range []struct {
		p                      Padding
		n, k, stride, dilation int
		out, before            int
	}{
		{Same, 28, 3, 1, 1, 28, 1}, // one on both sides
		{Same, 28, 3, 2, 1, 14, 0}, // one in all, and it comes after
		{Same, 224, 3, 2, 1, 112, 0},
		{Same, 224, 7, 2, 1, 112, 2}, // five in all: 2 and 3
		{Same, 27, 3, 2, 1, 14, 1},   // an odd size: one on both sides
		{Same, 49, 10, 2, 1, 25, 4},  // the first convolution of a keyword-spotting DS-CNN: 9 in all
		{Same, 10, 4, 2, 1, 5, 1},    // its other side: 2 in all
		{Same, 5, 2, 1, 1, 5, 0},     // an even window: the one comes after
		{Same, 7, 1, 2, 1, 4, 0},     // a window of one never pads
		{Same, 8, 1, 3, 1, 3, 0},     // also where the stride leaves positions out
		{Same, 8, 2, 4, 1, 2, 0},
		{Same, 3, 5, 1, 1, 3, 2}, // larger than the image
		{Same, 2, 9, 4, 1, 1, 3}, // much larger: 7 in all
		{Same, 10, 3, 1, 2, 10, 2},
		{Same, 10, 3, 2, 3, 5, 2}, // effective size 7: 5 in all
		{Same, 9, 3, 3, 2, 3, 1},
		{Valid, 28, 3, 1, 1, 26, 0},
		{Valid, 28, 3, 2, 1, 13, 0},
		{Valid, 7, 7, 1, 1, 1, 0},
		{Valid, 8, 3, 3, 1, 2, 0},
		{Valid, 10, 3, 1, 2, 6, 0},
		{Valid, 10, 3, 2, 4, 1, 0},
		{Valid, 5, 2, 2, 1, 2, 0}, // the last position is left out
		{Valid, 5, 1, 4, 1, 2, 0},
	} {
		out, before, err := c.p.Window(c.n, c.k, c.stride, c.dilation)
		if err != nil || out != c.out || before != c.before {
			t.Errorf("%s, %d positions, window %d, stride %d, dilation %d: %d, %d before (%v), want %d, %d",
				c.p, c.n, c.k, c.stride, c.dilation, out, before, err, c.out, c.before)
		}
	}
}

// TestWindowErrors: what no window can be, sizes that would overflow among them.
func TestWindowErrors(t *testing.T) {
	for _, c := range []struct {
		p                      Padding
		n, k, stride, dilation int
		want                   string
	}{
		{Valid, 2, 3, 1, 1, "does not fit into 2"},
		{Valid, 4, 3, 1, 2, "does not fit into 4"},
		{Same, 4, 0, 1, 1, "window size 0"},
		{Same, 4, 3, -1, 1, "stride -1"},
		{Same, 4, 3, 1, 0, "dilation 0"},
		{"", 4, 3, 1, 1, `padding ""`},
		{"SAME", 4, 3, 1, 1, `padding "SAME"`},
		{Same, 4, 3, math.MaxInt, 1, "stride"},
		{Valid, 4, 3, 1, math.MaxInt/2 + 1, "dilation"}, // (k-1)*dilation is negative in 64 bits
	} {
		_, _, err := c.p.Window(c.n, c.k, c.stride, c.dilation)
		wantError(t, err, c.want)
	}
}

// TestTransposedSizes: the output of a transposed convolution as Keras and TFLite have it.
func TestTransposedSizes(t *testing.T) {
	for _, c := range []struct {
		p            Padding
		n, k, stride int
		want         int
	}{
		{Same, 7, 3, 2, 14},
		{Same, 7, 2, 2, 14},
		{Same, 5, 3, 1, 5},
		{Same, 4, 4, 3, 12},
		{Valid, 7, 3, 2, 15},
		{Valid, 7, 2, 2, 14},
		{Valid, 5, 3, 1, 7},
		{Valid, 3, 2, 3, 9}, // a stride above the window leaves zeros between and after
	} {
		k := TransposeConv2D{Stride: [2]int{c.stride, 1}, Padding: c.p}
		got, err := k.Shape([]Shape{{Batch, c.n, 4, 3}, {c.k, 1, 3, 6}})
		if want := (Shape{Batch, c.want, 4, 6}); err != nil || !got.Equal(want) {
			t.Errorf("%s, %d positions, window %d, stride %d: %v (%v), want %v", c.p, c.n, c.k, c.stride, got, err, want)
		}
	}
}

// TestMisfits: a value that does not fit is reported with the layer's path, the Kind, and both shapes (or the shape and the attribute).
func TestMisfits(t *testing.T) {
	image := Shape{Batch, 8, 6, 3}
	for _, c := range []struct {
		kind Kind
		in   []Shape
		want []string
	}{
		{Conv2D{Padding: Same}, []Shape{image, {3, 3, 4, 8}}, []string{"[batch,8,6,3]", "[3,3,4,8]", "[kh,kw,cin,cout]"}},
		{Conv2D{Padding: Valid}, []Shape{image, {9, 3, 3, 8}}, []string{"[batch,8,6,3]", "[9,3,3,8]", "height"}},
		{Conv2D{Padding: Valid}, []Shape{image, {3, 7, 3, 8}}, []string{"width", "window of 7"}},
		{Conv2D{}, []Shape{image, {3, 3, 3, 8}}, []string{`padding ""`}},
		{Conv2D{Padding: Same, Stride: [2]int{2, 0}}, []Shape{image, {3, 3, 3, 8}}, []string{"width", "stride 0"}},
		{DepthwiseConv2D{Padding: Same}, []Shape{image, {3, 3, 4}}, []string{"[batch,8,6,3]", "[3,3,4]", "c*multiplier"}},
		{TransposeConv2D{Padding: Same}, []Shape{image, {3, 3, 4, 8}}, []string{"[batch,8,6,3]", "[3,3,4,8]"}},
		{TransposeConv2D{Padding: Same, Stride: [2]int{-1, 1}}, []Shape{image, {3, 3, 3, 8}}, []string{"stride [-1 1]"}},
		{TransposeConv2D{Padding: Same, Stride: [2]int{math.MaxInt, 2}}, []Shape{image, {3, 3, 3, 8}}, []string{"stride"}},
		{Dense{}, []Shape{{Batch, 5}, {6, 2}}, []string{"[batch,5]", "[6,2]"}},
		{BiasAdd{}, []Shape{image, {8}}, []string{"[batch,8,6,3]", "[8]", "want [3]"}},
		{BatchNorm{}, []Shape{image, {3}, {3}, {4}, {3}}, []string{"moving_mean", "[4]", "[batch,8,6,3]", "want [3]"}},
		{PReLU{}, []Shape{image, {6}}, []string{"[6]", "[batch,8,6,3]"}},
		{Add{}, []Shape{image, {Batch, 8, 5, 3}}, []string{"[batch,8,6,3]", "[batch,8,5,3]"}},
		{Mul{}, []Shape{{3}, image}, []string{"[3]", "[batch,8,6,3]", "second"}},
		{Sub{}, []Shape{{Batch, 3}, {2, 3}}, []string{"[batch,3]", "[2,3]"}}, // an array of 2 is no batch
		{Concat{Axis: -1}, []Shape{image, {Batch, 8, 5, 3}}, []string{"[batch,8,6,3]", "[batch,8,5,3]", "axis 3"}},
		{Concat{Axis: 0}, []Shape{image, image}, []string{"axis 0"}},
		{Concat{Axis: 4}, []Shape{image, image}, []string{"axis 4"}},
		{Concat{Axis: 1}, []Shape{image, {Batch, 3}}, []string{"[batch,8,6,3]", "[batch,3]"}},
		{Reshape{To: []int{143}}, []Shape{image}, []string{"[batch,8,6,3]", "144", "[batch,143]", "143"}},
		{Reshape{To: []int{-1, 3}}, []Shape{image}, []string{"must be positive"}},
		{Reshape{}, []Shape{image}, []string{"[batch,8,6,3]"}},
		{MaxPool2D{Size: [2]int{9, 2}, Padding: Valid}, []Shape{image}, []string{"[batch,8,6,3]", "window of 9"}},
		{MaxPool2D{Padding: Valid}, []Shape{image}, []string{"window size 0"}},
		{AvgPool2D{Size: [2]int{2, 2}, Padding: Valid}, []Shape{{Batch, 8}}, []string{"[batch,8]", "[batch,h,w,c]"}},
		{GlobalAvgPool{}, []Shape{{Batch, 8}}, []string{"[batch,8]", "[batch,h,w,c]"}},
		{Pad{Before: [2]int{-1, 0}}, []Shape{image}, []string{"[batch,8,6,3]", "padding"}},
		{Pad{Before: [2]int{math.MaxInt, 0}, After: [2]int{math.MaxInt, 0}}, []Shape{image}, []string{"padding"}}, // 6 in 64 bits
		{Resize{Size: [2]int{0, 4}, Method: "nearest"}, []Shape{image}, []string{"[batch,8,6,3]", "[0 4]"}},
		{Resize{Size: [2]int{4, 4}, Method: "cubic"}, []Shape{image}, []string{`"cubic"`}},
		{Resize{Size: [2]int{4, 4}, Method: "nearest", AlignCorners: true, HalfPixelCenters: true}, []Shape{image}, []string{"AlignCorners"}},
		{Resize{Size: [2]int{1 << 20, 1 << 20}, Method: "nearest"}, []Shape{image}, []string{"elements"}},
		{Softmax{}, []Shape{{Batch}}, []string{"[batch]", "normalise over"}},
		{Dropout{Rate: 1}, []Shape{image, {1}}, []string{"rate 1"}},
		{Dropout{Rate: float32(math.NaN())}, []Shape{image, {1}}, []string{"rate NaN"}},
		{Dropout{Rate: 0.5}, []Shape{image, {2}}, []string{"count [2]"}},
		{FakeQuant{Bits: 8}, []Shape{image, {3}}, []string{"[3]", "[batch,8,6,3]", "want [2]"}},
		{FakeQuant{Bits: 8, PerAxis: true}, []Shape{image, {2}}, []string{"want [2,3]"}},
		{FakeQuant{Bits: 1}, []Shape{image, {2}}, []string{"1 bits"}},
		{FakeQuant{Bits: 8, Observer: "mean"}, []Shape{image, {2}}, []string{`"mean"`}},
		{FakeQuant{Bits: 8, Delay: 3}, []Shape{image, {2}}, []string{"delay 3", "count"}},
	} {
		t.Run(fmt.Sprintf("%s %+v %v", KindName(c.kind), c.kind, c.in), func(t *testing.T) {
			b := NewBuilder("misfit", 1)
			b.Scope("stage", func() { b.Scope("layer", func() { b.Op("op", c.kind, sampleValues(b, c.kind, c.in)...) }) })
			_, err := b.Graph()
			wantError(t, err, append(c.want, "misfit", "stage/layer/op", KindName(c.kind))...)
		})
	}
}

// sampleValues makes inputs and Vars of the given shapes for a Kind.
func sampleValues(b *Builder, k Kind, shapes []Shape) (in []*Value) {
	for i, shape := range shapes {
		role := Weight
		if DefOf(k).Port(i).State {
			role = State
		}
		if shape.Batched() {
			in = append(in, b.Input(fmt.Sprintf("in%d", i), shape[1:]...))
			continue
		}
		in = append(in, b.Var(fmt.Sprintf("in%d", i), role, shape, nil))
	}
	return in
}

// TestShapeText: what shapes look like, and what is none.
func TestShapeText(t *testing.T) {
	for text, want := range map[string]Shape{"[]": {}, "[7]": {7}, "[batch]": {Batch}, "[batch,28,28,1]": {Batch, 28, 28, 1}} {
		got, err := parseShape(text)
		if err != nil || !got.Equal(want) || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "[", "[1", "1]", "[0]", "[-1]", "[-2,3]", "[1,batch]", "[1,,2]", "[1, 2]", "[99999999999999999999]", "[65536,65536]", "(1)"} {
		if s, err := parseShape(text); err == nil {
			t.Errorf("%q is read as %v", text, s)
		}
	}
}
