// Package datasets holds labelled examples in memory and hands them out in batches: shuffled, split, sampled, augmented, as a function of a seed.
// Subpackages read MNIST (embedded), IDX, NPY/NPZ, CIFAR-10 and folders of images, and download files; open finds the reader.
package datasets
