package layers

import "github.com/temper-ml/temper/graph"

// Flatten makes each example a vector.
type Flatten struct{ Name string }

// Build implements Layer.
func (l Flatten) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "flatten", func() *graph.Value {
		n := 1
		if x != nil {
			n = x.Shape.Volume()
		}
		return b.Op("reshape", graph.Reshape{To: []int{n}}, x)
	})
}

// Reshape gives each example another shape.
type Reshape struct {
	To   Shape
	Name string
}

// Build implements Layer.
func (l Reshape) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "reshape", func() *graph.Value { return b.Op("reshape", graph.Reshape{To: l.To}, x) })
}

// Pad surrounds height and width with zeros.
type Pad struct {
	Before, After [2]int
	Name          string
}

// Build implements Layer.
func (l Pad) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "zero_padding2d", func() *graph.Value {
		return b.Op("pad", graph.Pad{Before: l.Before, After: l.After}, x)
	})
}

// UpSampling2D enlarges height and width by a factor (Keras UpSampling2D: pixel centres at half for bilinear).
type UpSampling2D struct {
	Size     int // default 2
	Bilinear bool
	Name     string
}

// Build implements Layer.
func (l UpSampling2D) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "up_sampling2d", func() *graph.Value {
		if x == nil {
			return nil
		}
		if len(x.Shape) != 4 {
			b.Failf("input %v: want [batch,h,w,c]", x.Shape)
			return nil
		}
		f := size([2]int{}, l.Size, 2)
		k := graph.Resize{Size: [2]int{x.Shape[1] * f[0], x.Shape[2] * f[1]}, Method: "nearest"}
		if l.Bilinear {
			k.Method, k.HalfPixelCenters = "bilinear", true
		}
		return b.Op("resize", k, x)
	})
}

// Dropout zeroes values at random in training.
type Dropout struct {
	Rate float32
	Name string
}

// Build implements Layer.
func (l Dropout) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "dropout", func() *graph.Value {
		return b.Op("dropout", graph.Dropout{Rate: l.Rate, Seed: b.Seed}, x, b.Var("count", graph.State, graph.Shape{1}, nil))
	})
}
