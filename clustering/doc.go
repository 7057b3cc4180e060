// Package clustering lets each kernel of a network have a few values only, as a conditioner of a graph: it puts graph.Cluster between a kernel and its
// readers, with centroids that are found here and trained from then on.
//
// What an NPU's weight decoder rewards are few distinct codes in the int8 file, over the whole kernel. Clusters of float weights do not survive a
// quantization with a scale for each channel: 16 centroids in 32 channels become up to 255 codes. So the default grid is that of the file: one codebook of
// integers a layer, shared by all channels, each with its own scale, w = scale * code. The quantizer that comes later has the same scales and changes
// nothing. Where a BatchNorm follows it goes into the scales, not the codes.
//
// The order of conditioners is: prune, cluster, quantize. A kernel that is pruned keeps its zeros exactly.
package clustering
