package models

import "github.com/temper-ml/temper/layers"

func init() {
	register("autoencoder", network{layers.Shape{640}, 640, autoencoder})
}

// autoencoder is the anomaly-detection network of MLPerf Tiny (mlcommons/tiny, anomaly_detection/keras_model.py): it reconstructs its input,
// as a vector.
func autoencoder(input layers.Shape, _ int) layers.Sequential {
	var s layers.Sequential
	if len(input) > 1 {
		s = append(s, layers.Flatten{})
	}
	for _, units := range []int{128, 128, 128, 128, 8, 128, 128, 128, 128} {
		s = append(s, layers.Dense{Units: units}, norm)
	}
	n := 1
	for _, d := range input {
		n *= d
	}
	return append(s, layers.Dense{Units: n})
}
