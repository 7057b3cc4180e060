package compute

func init() {
	for _, p := range []struct {
		pass         *pass
		avx512, avx2 func(*uint64)
	}{
		{&biasAct, biasActAVX512, biasActAVX2},
		{&actGrad, actGradAVX512, actGradAVX2},
		{&sumRows, sumRowsAVX512, sumRowsAVX2},
		{&addPass, addPassAVX512, addPassAVX2},
		{&subPass, subPassAVX512, subPassAVX2},
		{&mulPass, mulPassAVX512, mulPassAVX2},
		{&pool2, pool2AVX512, pool2AVX2},
		{&pool2Only, pool2OnlyAVX512, pool2OnlyAVX2},
		{&pool2Grad, pool2GradAVX512, pool2GradAVX2},
		{&scaleShiftAct, scaleShiftActAVX512, scaleShiftActAVX2},
		{&normGrad, normGradAVX512, normGradAVX2},
		{&minMax, minMaxAVX512, minMaxAVX2},
		{&quantize, quantizeAVX512, quantizeAVX2},
		{&quantizeByInverse, quantizeByInverseAVX512, quantizeByInverseAVX2},
		{&quantizeGrad, quantizeGradAVX512, quantizeGradAVX2},
		{&pool2Range, pool2RangeAVX512, pool2RangeAVX2},
		{&scaleShiftQuantize, scaleShiftQuantizeAVX512, scaleShiftQuantizeAVX2},
		{&scaleShiftQuantizeByInverse, scaleShiftQuantizeByInverseAVX512, scaleShiftQuantizeByInverseAVX2},
		{&moments, momentsAVX512, momentsAVX2},
		{&momentsRange, momentsRangeAVX512, momentsRangeAVX2},
		{&normGate, normGateAVX512, normGateAVX2},
		{&addAct, addActAVX512, addActAVX2},
		{&dropout, dropoutAVX512, dropoutAVX2},
		{&biasActRange, biasActRangeAVX512, biasActRangeAVX2},
		{&addActRange, addActRangeAVX512, addActRangeAVX2},
		{&adam, adamAVX512, adamAVX2},
		{&descend, descendAVX512, descendAVX2},
		{&momentum, momentumAVX512, momentumAVX2},
		{&nesterov, nesterovAVX512, nesterovAVX2},
		{&rmsprop, rmspropAVX512, rmspropAVX2},
		{&rmspropMomentum, rmspropMomentumAVX512, rmspropMomentumAVX2},
		{&scalePass, scalePassAVX512, scalePassAVX2},
	} {
		p.pass.avx512, p.pass.avx2 = p.avx512, p.avx2
	}
}
