package compute

func Conv2D(y, x, w []float32, s ConvShape)                { NewConv(s).Forward(y, x, w) }
func Conv2DGradInput(dx, dy, w []float32, s ConvShape)     { NewConv(s).GradInput(dx, dy, w) }
func Conv2DGradKernel(dw, x, dy []float32, s ConvShape)    { NewConv(s).GradKernel(dw, x, dy) }
func Depthwise(y, x, w []float32, s ConvShape)             { NewDepthwise(s).Forward(y, x, w) }
func DepthwiseGradInput(dx, dy, w []float32, s ConvShape)  { NewDepthwise(s).GradInput(dx, dy, w) }
func DepthwiseGradKernel(dw, x, dy []float32, s ConvShape) { NewDepthwise(s).GradKernel(dw, x, dy) }
