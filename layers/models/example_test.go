package models_test

import (
	"fmt"
	"log"

	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/layers/models"
)

// The keyword-spotting network of MLPerf Tiny, for digits instead of spectrograms.
func ExampleByName() {
	m, err := models.ByName("ds-cnn", models.Options{Seed: 1, Input: layers.Shape{28, 28, 1}, Classes: 10})
	if err != nil {
		log.Fatal(err)
	}
	net, err := m.Trace()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(net.Outputs[0].Shape, layers.Summary(net).MACs, "MACs")

	_, err = models.ByName("dscnn", models.Options{})
	fmt.Println(err)
	// Output:
	// [batch,10] 4165248 MACs
	// unknown model "dscnn": did you mean ds-cnn? Known are arm-example, autoencoder, ds-cnn, mobilenet-v1-0.25, mobilenet-v2-0.35, resnet-8
}
