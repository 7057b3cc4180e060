package clustering_test

import (
	"fmt"

	"github.com/temper-ml/temper/clustering"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
)

// The kernels of a network get 16 values each, the last layer 8; what is done with which layer can be read first. The clusters are trained and
// quantized next; Strip leaves plain kernels.
func ExampleCluster() {
	net, err := layers.Model{Name: "net", Input: layers.Shape{12, 12, 1}, Layer: layers.Sequential{
		layers.Conv2D{Name: "first", Filters: 4, Kernel: 3, Activation: layers.ReLU},
		layers.Conv2D{Name: "second", Filters: 32, Kernel: 5, Activation: layers.ReLU},
		layers.Conv2D{Name: "third", Filters: 16, Kernel: 3, Activation: layers.ReLU},
		layers.GlobalAvgPool{}, layers.Dense{Name: "out", Units: 10},
	}}.Trace()
	if err != nil {
		fmt.Println(err)
		return
	}
	cluster := clustering.Cluster{Codes: 16, Rules: []clustering.Rule{{Match: "out", Codes: 8}}}
	rows, err := cluster.Describe(net)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range rows {
		fmt.Printf("%s: %s\n", r.Layer, r.Setting)
	}
	if err := cluster.Apply(net); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(net.Op("second/kernel/cluster"))
	if err := graph.Strip(net); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("out/kernel promises", net.Var("out/kernel").Promise)
	// Output:
	// first: left alone
	// second: 16 codes, int8 grid, a scale a channel, k-means++
	// third: 16 codes, int8 grid, a scale a channel, k-means++
	// out: 8 codes, int8 grid, k-means++
	// second/kernel/cluster = Cluster(second/kernel, second/kernel/cluster/centroids, second/kernel/cluster/range) {"Grid":true,"Zero":true} [5,5,4,32]
	// out/kernel promises codes=8
}
