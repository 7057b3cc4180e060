package isa

// Op is the low half of a command word: opcode and control bits. Commands that carry a payload have the bit Payload.
type Op uint16

// Payload marks commands with a 32-bit payload (control 1).
const Payload Op = 1 << 14

// The commands, by Arm's names without NPU_.
const (
	OP_STOP             Op = 0x000
	OP_IRQ              Op = 0x001
	OP_CONV             Op = 0x002
	OP_DEPTHWISE        Op = 0x003
	OP_POOL             Op = 0x005
	OP_ELEMENTWISE      Op = 0x006
	OP_DMA_START        Op = 0x010
	OP_DMA_WAIT         Op = 0x011
	OP_KERNEL_WAIT      Op = 0x012
	OP_PMU_MASK         Op = 0x013
	SET_IFM_PAD_TOP     Op = 0x100
	SET_IFM_PAD_LEFT    Op = 0x101
	SET_IFM_PAD_RIGHT   Op = 0x102
	SET_IFM_PAD_BOTTOM  Op = 0x103
	SET_IFM_DEPTH_M1    Op = 0x104
	SET_IFM_PRECISION   Op = 0x105
	SET_IFM_UPSCALE     Op = 0x107
	SET_IFM_ZERO_POINT  Op = 0x109
	SET_IFM_WIDTH0_M1   Op = 0x10a
	SET_IFM_HEIGHT0_M1  Op = 0x10b
	SET_IFM_HEIGHT1_M1  Op = 0x10c
	SET_IFM_IB_END      Op = 0x10d
	SET_IFM_REGION      Op = 0x10f
	SET_OFM_WIDTH_M1    Op = 0x111
	SET_OFM_HEIGHT_M1   Op = 0x112
	SET_OFM_DEPTH_M1    Op = 0x113
	SET_OFM_PRECISION   Op = 0x114
	SET_OFM_BLK_WIDTH   Op = 0x115
	SET_OFM_BLK_HEIGHT  Op = 0x116
	SET_OFM_BLK_DEPTH   Op = 0x117
	SET_OFM_ZERO_POINT  Op = 0x118
	SET_OFM_WIDTH0_M1   Op = 0x11a
	SET_OFM_HEIGHT0_M1  Op = 0x11b
	SET_OFM_HEIGHT1_M1  Op = 0x11c
	SET_OFM_REGION      Op = 0x11f
	SET_KERNEL_WIDTH    Op = 0x120
	SET_KERNEL_HEIGHT   Op = 0x121
	SET_KERNEL_STRIDE   Op = 0x122
	SET_PARALLEL_MODE   Op = 0x123
	SET_ACC_FORMAT      Op = 0x124
	SET_ACTIVATION      Op = 0x125
	SET_ACTIVATION_MIN  Op = 0x126
	SET_ACTIVATION_MAX  Op = 0x127
	SET_WEIGHT_REGION   Op = 0x128
	SET_SCALE_REGION    Op = 0x129
	SET_AB_START        Op = 0x12d
	SET_BLOCKDEP        Op = 0x12f
	SET_DMA0_SRC_REGION Op = 0x130
	SET_DMA0_DST_REGION Op = 0x131
	SET_DMA0_SIZE0      Op = 0x132
	SET_DMA0_SIZE1      Op = 0x133
	SET_IFM2_BROADCAST  Op = 0x180
	SET_IFM2_SCALAR     Op = 0x181
	SET_IFM2_PRECISION  Op = 0x185
	SET_IFM2_ZERO_POINT Op = 0x189
	SET_IFM2_WIDTH0_M1  Op = 0x18a
	SET_IFM2_HEIGHT0_M1 Op = 0x18b
	SET_IFM2_HEIGHT1_M1 Op = 0x18c
	SET_IFM2_IB_START   Op = 0x18d
	SET_IFM2_REGION     Op = 0x18f

	SET_IFM_BASE0      = Payload
	SET_IFM_BASE1      = Payload | 0x001
	SET_IFM_BASE2      = Payload | 0x002
	SET_IFM_BASE3      = Payload | 0x003
	SET_IFM_STRIDE_X   = Payload | 0x004
	SET_IFM_STRIDE_Y   = Payload | 0x005
	SET_IFM_STRIDE_C   = Payload | 0x006
	SET_OFM_BASE0      = Payload | 0x010
	SET_OFM_BASE1      = Payload | 0x011
	SET_OFM_BASE2      = Payload | 0x012
	SET_OFM_BASE3      = Payload | 0x013
	SET_OFM_STRIDE_X   = Payload | 0x014
	SET_OFM_STRIDE_Y   = Payload | 0x015
	SET_OFM_STRIDE_C   = Payload | 0x016
	SET_WEIGHT_BASE    = Payload | 0x020
	SET_WEIGHT_LENGTH  = Payload | 0x021
	SET_SCALE_BASE     = Payload | 0x022
	SET_SCALE_LENGTH   = Payload | 0x023
	SET_OFM_SCALE      = Payload | 0x024
	SET_OPA_SCALE      = Payload | 0x025
	SET_OPB_SCALE      = Payload | 0x026
	SET_DMA0_SRC       = Payload | 0x030
	SET_DMA0_DST       = Payload | 0x031
	SET_DMA0_LEN       = Payload | 0x032
	SET_DMA0_SKIP0     = Payload | 0x033
	SET_DMA0_SKIP1     = Payload | 0x034
	SET_IFM2_BASE0     = Payload | 0x080
	SET_IFM2_BASE1     = Payload | 0x081
	SET_IFM2_BASE2     = Payload | 0x082
	SET_IFM2_BASE3     = Payload | 0x083
	SET_IFM2_STRIDE_X  = Payload | 0x084
	SET_IFM2_STRIDE_Y  = Payload | 0x085
	SET_IFM2_STRIDE_C  = Payload | 0x086
	SET_WEIGHT1_BASE   = Payload | 0x090
	SET_WEIGHT1_LENGTH = Payload | 0x091
	SET_SCALE1_BASE    = Payload | 0x092
	SET_SCALE1_LENGTH  = Payload | 0x093
)

// field is a part of a command's parameter or payload.
type field struct {
	name   string
	shift  uint8
	bits   uint8
	names  []string // of its values
	signed bool     // printed as a signed number where it is one
}

// info is a line of the table: Arm's name, the fields of the 16-bit parameter, and what the payload is.
type info struct {
	name    string
	fields  []field
	payload string // "addr": 40 bits, the high 8 in the parameter; "stride": the same, signed; "length", "scale"
}

var (
	signedness = []string{"UNSIGNED", "SIGNED"}
	precision  = []string{"B8", "B16", "B32", "B64"}
	format     = []string{"NHWC", "NHCWB16"}
	rounds     = []string{"DBL", "TRUNCATE", "NATURAL"}
	onOff      = []string{"DISABLE", "ENABLE"}
	region     = []field{{name: "region", bits: 3}}
	dmaRegion  = []field{{name: "region", bits: 3}, {name: "region_mode", shift: 8, bits: 1, names: []string{"EXTERNAL", "INTERNAL"}},
		{name: "stride_mode", shift: 9, bits: 2, names: []string{"D1", "D2", "D3"}}}
	activations = []string{0: "RELU", 3: "TANH", 4: "SIGMOID", 16: "TABLE_0", 17: "TABLE_1", 18: "TABLE_2", 19: "TABLE_3", 20: "TABLE_4",
		21: "TABLE_5", 22: "TABLE_6", 23: "TABLE_7"}
)

// one is a parameter that is a single number.
func one(name string, bits uint8) []field { return []field{{name: name, bits: bits}} }

func signed(name string) []field { return []field{{name: name, bits: 16, signed: true}} }

// table has every command of U55 and U65 with Arm's names of commands, fields and values.
var table = map[Op]info{
	OP_STOP:      {"NPU_OP_STOP", one("mask", 16), ""},
	OP_IRQ:       {"NPU_OP_IRQ", one("mask", 16), ""},
	OP_CONV:      {"NPU_OP_CONV", nil, ""},
	OP_DEPTHWISE: {"NPU_OP_DEPTHWISE", nil, ""},
	OP_POOL:      {"NPU_OP_POOL", []field{{name: "pooling_mode", bits: 3, names: []string{"MAX", "AVERAGE", "REDUCE_SUM"}}}, ""},
	OP_ELEMENTWISE: {"NPU_OP_ELEMENTWISE", []field{{name: "elementwise_mode", bits: 6, names: []string{
		"MUL", "ADD", "SUB", "MIN", "MAX", "LRELU", "ABS", "CLZ", "SHR", "SHL"}}}, ""},
	OP_DMA_START:   {"NPU_OP_DMA_START", nil, ""},
	OP_DMA_WAIT:    {"NPU_OP_DMA_WAIT", one("k", 4), ""},
	OP_KERNEL_WAIT: {"NPU_OP_KERNEL_WAIT", one("n", 4), ""},
	OP_PMU_MASK:    {"NPU_OP_PMU_MASK", one("enable", 1), ""},

	SET_IFM_PAD_TOP:    {"NPU_SET_IFM_PAD_TOP", one("pad", 7), ""},
	SET_IFM_PAD_LEFT:   {"NPU_SET_IFM_PAD_LEFT", one("pad", 7), ""},
	SET_IFM_PAD_RIGHT:  {"NPU_SET_IFM_PAD_RIGHT", one("pad", 8), ""},
	SET_IFM_PAD_BOTTOM: {"NPU_SET_IFM_PAD_BOTTOM", one("pad", 8), ""},
	SET_IFM_DEPTH_M1:   {"NPU_SET_IFM_DEPTH_M1", one("depth_m1", 16), ""},
	SET_IFM_PRECISION: {"NPU_SET_IFM_PRECISION", []field{{name: "activation_type", bits: 1, names: signedness},
		{name: "activation_precision", shift: 2, bits: 2, names: precision},
		{name: "activation_format", shift: 6, bits: 2, names: format}, {name: "scale_mode", shift: 8, bits: 2, names: []string{"OPA_OPB_16", "OPA_32", "OPB_32"}},
		{name: "round_mode", shift: 14, bits: 2, names: rounds}}, ""},
	SET_IFM_UPSCALE:    {"NPU_SET_IFM_UPSCALE", []field{{name: "mode", bits: 2, names: []string{"NONE", "NEAREST", "ZEROS"}}}, ""},
	SET_IFM_ZERO_POINT: {"NPU_SET_IFM_ZERO_POINT", signed("zero_point"), ""},
	SET_IFM_WIDTH0_M1:  {"NPU_SET_IFM_WIDTH0_M1", one("width_m1", 16), ""},
	SET_IFM_HEIGHT0_M1: {"NPU_SET_IFM_HEIGHT0_M1", one("height_m1", 16), ""},
	SET_IFM_HEIGHT1_M1: {"NPU_SET_IFM_HEIGHT1_M1", one("height_m1", 16), ""},
	SET_IFM_IB_END:     {"NPU_SET_IFM_IB_END", one("ib_end", 6), ""},
	SET_IFM_REGION:     {"NPU_SET_IFM_REGION", region, ""},
	SET_OFM_WIDTH_M1:   {"NPU_SET_OFM_WIDTH_M1", one("width_m1", 16), ""},
	SET_OFM_HEIGHT_M1:  {"NPU_SET_OFM_HEIGHT_M1", one("height_m1", 16), ""},
	SET_OFM_DEPTH_M1:   {"NPU_SET_OFM_DEPTH_M1", one("depth_m1", 16), ""},
	SET_OFM_PRECISION: {"NPU_SET_OFM_PRECISION", []field{{name: "activation_type", bits: 1, names: signedness},
		{name: "activation_precision", shift: 1, bits: 2, names: precision},
		{name: "activation_format", shift: 6, bits: 2, names: format}, {name: "scale_mode", shift: 8, bits: 1, names: []string{"PER_CHANNEL", "GLOBAL"}},
		{name: "round_mode", shift: 14, bits: 2, names: rounds}}, ""},
	SET_OFM_BLK_WIDTH:  {"NPU_SET_OFM_BLK_WIDTH_M1", one("width_m1", 6), ""},
	SET_OFM_BLK_HEIGHT: {"NPU_SET_OFM_BLK_HEIGHT_M1", one("height_m1", 5), ""},
	SET_OFM_BLK_DEPTH:  {"NPU_SET_OFM_BLK_DEPTH_M1", one("depth_m1", 7), ""},
	SET_OFM_ZERO_POINT: {"NPU_SET_OFM_ZERO_POINT", signed("zero_point"), ""},
	SET_OFM_WIDTH0_M1:  {"NPU_SET_OFM_WIDTH0_M1", one("width_m1", 16), ""},
	SET_OFM_HEIGHT0_M1: {"NPU_SET_OFM_HEIGHT0_M1", one("height_m1", 16), ""},
	SET_OFM_HEIGHT1_M1: {"NPU_SET_OFM_HEIGHT1_M1", one("height_m1", 16), ""},
	SET_OFM_REGION:     {"NPU_SET_OFM_REGION", region, ""},
	SET_KERNEL_WIDTH:   {"NPU_SET_KERNEL_WIDTH_M1", one("width_m1", 16), ""},
	SET_KERNEL_HEIGHT:  {"NPU_SET_KERNEL_HEIGHT_M1", one("height_m1", 16), ""},
	SET_KERNEL_STRIDE: {"NPU_SET_KERNEL_STRIDE", []field{{name: "stride_x_lsb", bits: 1}, {name: "stride_y_lsb", shift: 1, bits: 1},
		{name: "weight_order", shift: 2, bits: 1, names: []string{"DEPTH_FIRST", "PART_KERNEL_FIRST"}},
		{name: "dilation_x", shift: 3, bits: 1, names: []string{"NONE", "X2"}},
		{name: "dilation_y", shift: 4, bits: 1, names: []string{"NONE", "X2"}}, {name: "decomposition", shift: 5, bits: 1, names: []string{"D8X8", "D4X4"}},
		{name: "stride_x_msb", shift: 6, bits: 1}, {name: "stride_y_msb", shift: 9, bits: 1}}, ""},
	SET_PARALLEL_MODE: {"NPU_SET_PARALLEL_MODE", []field{{name: "parallel_mode", bits: 1, names: []string{"SINGLE_CORE", "DUAL_CORE_DEPTH"}}}, ""},
	SET_ACC_FORMAT:    {"NPU_SET_ACC_FORMAT", []field{{name: "acc_format", bits: 2, names: []string{"I32", "I40", "F16"}}}, ""},
	SET_ACTIVATION: {"NPU_SET_ACTIVATION", []field{{name: "activation_function", bits: 5, names: activations},
		{name: "activation_clip_range", shift: 12, bits: 3, names: []string{0: "OFM_PRECISION", 2: "FORCE_UINT8", 3: "FORCE_INT8", 5: "FORCE_INT16"}}}, ""},
	SET_ACTIVATION_MIN:  {"NPU_SET_ACTIVATION_MIN", signed("clip_boundary"), ""},
	SET_ACTIVATION_MAX:  {"NPU_SET_ACTIVATION_MAX", signed("clip_boundary"), ""},
	SET_WEIGHT_REGION:   {"NPU_SET_WEIGHT_REGION", region, ""},
	SET_SCALE_REGION:    {"NPU_SET_SCALE_REGION", region, ""},
	SET_AB_START:        {"NPU_SET_AB_START", one("ab_start", 6), ""},
	SET_BLOCKDEP:        {"NPU_SET_BLOCKDEP", one("blockdep", 2), ""},
	SET_DMA0_SRC_REGION: {"NPU_SET_DMA0_SRC_REGION", dmaRegion, ""},
	SET_DMA0_DST_REGION: {"NPU_SET_DMA0_DST_REGION", dmaRegion, ""},
	SET_DMA0_SIZE0:      {"NPU_SET_DMA0_SIZE0", one("size", 16), ""},
	SET_DMA0_SIZE1:      {"NPU_SET_DMA0_SIZE1", one("size", 16), ""},
	SET_IFM2_BROADCAST: {"NPU_SET_IFM2_BROADCAST", []field{{name: "broadcast_h", bits: 1, names: onOff}, {name: "broadcast_w", shift: 1, bits: 1, names: onOff},
		{name: "broadcast_c", shift: 2, bits: 1, names: onOff}, {name: "operand_order", shift: 6, bits: 1, names: []string{"ORDER_B", "ORDER_A"}},
		{name: "broadcast_constant", shift: 7, bits: 1, names: onOff}}, ""},
	SET_IFM2_SCALAR: {"NPU_SET_IFM2_SCALAR", signed("scalar"), ""},
	SET_IFM2_PRECISION: {"NPU_SET_IFM2_PRECISION", []field{{name: "activation_type", bits: 1, names: signedness},
		{name: "activation_precision", shift: 2, bits: 2, names: precision},
		{name: "activation_format", shift: 6, bits: 2, names: format}}, ""},
	SET_IFM2_ZERO_POINT: {"NPU_SET_IFM2_ZERO_POINT", signed("zero_point"), ""},
	SET_IFM2_WIDTH0_M1:  {"NPU_SET_IFM2_WIDTH0_M1", one("width_m1", 16), ""},
	SET_IFM2_HEIGHT0_M1: {"NPU_SET_IFM2_HEIGHT0_M1", one("height_m1", 16), ""},
	SET_IFM2_HEIGHT1_M1: {"NPU_SET_IFM2_HEIGHT1_M1", one("height_m1", 16), ""},
	SET_IFM2_IB_START:   {"NPU_SET_IFM2_IB_START", one("ib_start", 6), ""},
	SET_IFM2_REGION:     {"NPU_SET_IFM2_REGION", region, ""},

	SET_IFM_BASE0:      {"NPU_SET_IFM_BASE0", nil, "addr"},
	SET_IFM_BASE1:      {"NPU_SET_IFM_BASE1", nil, "addr"},
	SET_IFM_BASE2:      {"NPU_SET_IFM_BASE2", nil, "addr"},
	SET_IFM_BASE3:      {"NPU_SET_IFM_BASE3", nil, "addr"},
	SET_IFM_STRIDE_X:   {"NPU_SET_IFM_STRIDE_X", nil, "stride"},
	SET_IFM_STRIDE_Y:   {"NPU_SET_IFM_STRIDE_Y", nil, "stride"},
	SET_IFM_STRIDE_C:   {"NPU_SET_IFM_STRIDE_C", nil, "stride"},
	SET_OFM_BASE0:      {"NPU_SET_OFM_BASE0", nil, "addr"},
	SET_OFM_BASE1:      {"NPU_SET_OFM_BASE1", nil, "addr"},
	SET_OFM_BASE2:      {"NPU_SET_OFM_BASE2", nil, "addr"},
	SET_OFM_BASE3:      {"NPU_SET_OFM_BASE3", nil, "addr"},
	SET_OFM_STRIDE_X:   {"NPU_SET_OFM_STRIDE_X", nil, "stride"},
	SET_OFM_STRIDE_Y:   {"NPU_SET_OFM_STRIDE_Y", nil, "stride"},
	SET_OFM_STRIDE_C:   {"NPU_SET_OFM_STRIDE_C", nil, "stride"},
	SET_WEIGHT_BASE:    {"NPU_SET_WEIGHT_BASE", nil, "addr"},
	SET_WEIGHT_LENGTH:  {"NPU_SET_WEIGHT_LENGTH", nil, "length"},
	SET_SCALE_BASE:     {"NPU_SET_SCALE_BASE", nil, "addr"},
	SET_SCALE_LENGTH:   {"NPU_SET_SCALE_LENGTH", nil, "length"},
	SET_OFM_SCALE:      {"NPU_SET_OFM_SCALE", one("shift", 6), "scale"},
	SET_OPA_SCALE:      {"NPU_SET_OPA_SCALE", one("shift", 6), "scale"},
	SET_OPB_SCALE:      {"NPU_SET_OPB_SCALE", nil, "scale"},
	SET_DMA0_SRC:       {"NPU_SET_DMA0_SRC", nil, "addr"},
	SET_DMA0_DST:       {"NPU_SET_DMA0_DST", nil, "addr"},
	SET_DMA0_LEN:       {"NPU_SET_DMA0_LEN", nil, "addr"},
	SET_DMA0_SKIP0:     {"NPU_SET_DMA0_SKIP0", nil, "stride"},
	SET_DMA0_SKIP1:     {"NPU_SET_DMA0_SKIP1", nil, "stride"},
	SET_IFM2_BASE0:     {"NPU_SET_IFM2_BASE0", nil, "addr"},
	SET_IFM2_BASE1:     {"NPU_SET_IFM2_BASE1", nil, "addr"},
	SET_IFM2_BASE2:     {"NPU_SET_IFM2_BASE2", nil, "addr"},
	SET_IFM2_BASE3:     {"NPU_SET_IFM2_BASE3", nil, "addr"},
	SET_IFM2_STRIDE_X:  {"NPU_SET_IFM2_STRIDE_X", nil, "stride"},
	SET_IFM2_STRIDE_Y:  {"NPU_SET_IFM2_STRIDE_Y", nil, "stride"},
	SET_IFM2_STRIDE_C:  {"NPU_SET_IFM2_STRIDE_C", nil, "stride"},
	SET_WEIGHT1_BASE:   {"NPU_SET_WEIGHT1_BASE", nil, "addr"},
	SET_WEIGHT1_LENGTH: {"NPU_SET_WEIGHT1_LENGTH", nil, "length"},
	SET_SCALE1_BASE:    {"NPU_SET_SCALE1_BASE", nil, "addr"},
	SET_SCALE1_LENGTH:  {"NPU_SET_SCALE1_LENGTH", nil, "length"},
}

// String is Arm's name of the command.
func (o Op) String() string {
	if i, ok := table[o]; ok {
		return i.name
	}
	return "unknown command"
}
