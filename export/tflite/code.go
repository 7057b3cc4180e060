package tflite

import "fmt"

// Code is a builtin operator, numbered as in the TFLite schema (BuiltinOperator).
type Code int32

// The builtin operators.
const (
	ADD                              Code = 0
	AVERAGE_POOL_2D                  Code = 1
	CONCATENATION                    Code = 2
	CONV_2D                          Code = 3
	DEPTHWISE_CONV_2D                Code = 4
	DEPTH_TO_SPACE                   Code = 5
	DEQUANTIZE                       Code = 6
	EMBEDDING_LOOKUP                 Code = 7
	FLOOR                            Code = 8
	FULLY_CONNECTED                  Code = 9
	HASHTABLE_LOOKUP                 Code = 10
	L2_NORMALIZATION                 Code = 11
	L2_POOL_2D                       Code = 12
	LOCAL_RESPONSE_NORMALIZATION     Code = 13
	LOGISTIC                         Code = 14
	LSH_PROJECTION                   Code = 15
	LSTM                             Code = 16
	MAX_POOL_2D                      Code = 17
	MUL                              Code = 18
	RELU                             Code = 19
	RELU_N1_TO_1                     Code = 20
	RELU6                            Code = 21
	RESHAPE                          Code = 22
	RESIZE_BILINEAR                  Code = 23
	RNN                              Code = 24
	SOFTMAX                          Code = 25
	SPACE_TO_DEPTH                   Code = 26
	SVDF                             Code = 27
	TANH                             Code = 28
	CONCAT_EMBEDDINGS                Code = 29
	SKIP_GRAM                        Code = 30
	CALL                             Code = 31
	CUSTOM                           Code = 32
	EMBEDDING_LOOKUP_SPARSE          Code = 33
	PAD                              Code = 34
	UNIDIRECTIONAL_SEQUENCE_RNN      Code = 35
	GATHER                           Code = 36
	BATCH_TO_SPACE_ND                Code = 37
	SPACE_TO_BATCH_ND                Code = 38
	TRANSPOSE                        Code = 39
	MEAN                             Code = 40
	SUB                              Code = 41
	DIV                              Code = 42
	SQUEEZE                          Code = 43
	UNIDIRECTIONAL_SEQUENCE_LSTM     Code = 44
	STRIDED_SLICE                    Code = 45
	BIDIRECTIONAL_SEQUENCE_RNN       Code = 46
	EXP                              Code = 47
	TOPK_V2                          Code = 48
	SPLIT                            Code = 49
	LOG_SOFTMAX                      Code = 50
	DELEGATE                         Code = 51
	BIDIRECTIONAL_SEQUENCE_LSTM      Code = 52
	CAST                             Code = 53
	PRELU                            Code = 54
	MAXIMUM                          Code = 55
	ARG_MAX                          Code = 56
	MINIMUM                          Code = 57
	LESS                             Code = 58
	NEG                              Code = 59
	PADV2                            Code = 60
	GREATER                          Code = 61
	GREATER_EQUAL                    Code = 62
	LESS_EQUAL                       Code = 63
	SELECT                           Code = 64
	SLICE                            Code = 65
	SIN                              Code = 66
	TRANSPOSE_CONV                   Code = 67
	SPARSE_TO_DENSE                  Code = 68
	TILE                             Code = 69
	EXPAND_DIMS                      Code = 70
	EQUAL                            Code = 71
	NOT_EQUAL                        Code = 72
	LOG                              Code = 73
	SUM                              Code = 74
	SQRT                             Code = 75
	RSQRT                            Code = 76
	SHAPE                            Code = 77
	POW                              Code = 78
	ARG_MIN                          Code = 79
	FAKE_QUANT                       Code = 80
	REDUCE_PROD                      Code = 81
	REDUCE_MAX                       Code = 82
	PACK                             Code = 83
	LOGICAL_OR                       Code = 84
	ONE_HOT                          Code = 85
	LOGICAL_AND                      Code = 86
	LOGICAL_NOT                      Code = 87
	UNPACK                           Code = 88
	REDUCE_MIN                       Code = 89
	FLOOR_DIV                        Code = 90
	REDUCE_ANY                       Code = 91
	SQUARE                           Code = 92
	ZEROS_LIKE                       Code = 93
	FILL                             Code = 94
	FLOOR_MOD                        Code = 95
	RANGE                            Code = 96
	RESIZE_NEAREST_NEIGHBOR          Code = 97
	LEAKY_RELU                       Code = 98
	SQUARED_DIFFERENCE               Code = 99
	MIRROR_PAD                       Code = 100
	ABS                              Code = 101
	SPLIT_V                          Code = 102
	UNIQUE                           Code = 103
	CEIL                             Code = 104
	REVERSE_V2                       Code = 105
	ADD_N                            Code = 106
	GATHER_ND                        Code = 107
	COS                              Code = 108
	WHERE                            Code = 109
	RANK                             Code = 110
	ELU                              Code = 111
	REVERSE_SEQUENCE                 Code = 112
	MATRIX_DIAG                      Code = 113
	QUANTIZE                         Code = 114
	MATRIX_SET_DIAG                  Code = 115
	ROUND                            Code = 116
	HARD_SWISH                       Code = 117
	IF                               Code = 118
	WHILE                            Code = 119
	NON_MAX_SUPPRESSION_V4           Code = 120
	NON_MAX_SUPPRESSION_V5           Code = 121
	SCATTER_ND                       Code = 122
	SELECT_V2                        Code = 123
	DENSIFY                          Code = 124
	SEGMENT_SUM                      Code = 125
	BATCH_MATMUL                     Code = 126
	PLACEHOLDER_FOR_GREATER_OP_CODES Code = 127
	CUMSUM                           Code = 128
	CALL_ONCE                        Code = 129
	BROADCAST_TO                     Code = 130
	RFFT2D                           Code = 131
	CONV_3D                          Code = 132
	IMAG                             Code = 133
	REAL                             Code = 134
	COMPLEX_ABS                      Code = 135
	HASHTABLE                        Code = 136
	HASHTABLE_FIND                   Code = 137
	HASHTABLE_IMPORT                 Code = 138
	HASHTABLE_SIZE                   Code = 139
	REDUCE_ALL                       Code = 140
	CONV_3D_TRANSPOSE                Code = 141
	VAR_HANDLE                       Code = 142
	READ_VARIABLE                    Code = 143
	ASSIGN_VARIABLE                  Code = 144
	BROADCAST_ARGS                   Code = 145
	RANDOM_STANDARD_NORMAL           Code = 146
	BUCKETIZE                        Code = 147
	RANDOM_UNIFORM                   Code = 148
	MULTINOMIAL                      Code = 149
	GELU                             Code = 150
	DYNAMIC_UPDATE_SLICE             Code = 151
	RELU_0_TO_1                      Code = 152
	UNSORTED_SEGMENT_PROD            Code = 153
	UNSORTED_SEGMENT_MAX             Code = 154
	UNSORTED_SEGMENT_SUM             Code = 155
	ATAN2                            Code = 156
	UNSORTED_SEGMENT_MIN             Code = 157
	SIGN                             Code = 158
	BITCAST                          Code = 159
	BITWISE_XOR                      Code = 160
	RIGHT_SHIFT                      Code = 161
	STABLEHLO_LOGISTIC               Code = 162
	STABLEHLO_ADD                    Code = 163
	STABLEHLO_DIVIDE                 Code = 164
	STABLEHLO_MULTIPLY               Code = 165
	STABLEHLO_MAXIMUM                Code = 166
	STABLEHLO_RESHAPE                Code = 167
	STABLEHLO_CLAMP                  Code = 168
	STABLEHLO_CONCATENATE            Code = 169
	STABLEHLO_BROADCAST_IN_DIM       Code = 170
	STABLEHLO_CONVOLUTION            Code = 171
	STABLEHLO_SLICE                  Code = 172
	STABLEHLO_CUSTOM_CALL            Code = 173
	STABLEHLO_REDUCE                 Code = 174
	STABLEHLO_ABS                    Code = 175
	STABLEHLO_AND                    Code = 176
	STABLEHLO_COSINE                 Code = 177
	STABLEHLO_EXPONENTIAL            Code = 178
	STABLEHLO_FLOOR                  Code = 179
	STABLEHLO_LOG                    Code = 180
	STABLEHLO_MINIMUM                Code = 181
	STABLEHLO_NEGATE                 Code = 182
	STABLEHLO_OR                     Code = 183
	STABLEHLO_POWER                  Code = 184
	STABLEHLO_REMAINDER              Code = 185
	STABLEHLO_RSQRT                  Code = 186
	STABLEHLO_SELECT                 Code = 187
	STABLEHLO_SUBTRACT               Code = 188
	STABLEHLO_TANH                   Code = 189
	STABLEHLO_SCATTER                Code = 190
	STABLEHLO_COMPARE                Code = 191
	STABLEHLO_CONVERT                Code = 192
	STABLEHLO_DYNAMIC_SLICE          Code = 193
	STABLEHLO_DYNAMIC_UPDATE_SLICE   Code = 194
	STABLEHLO_PAD                    Code = 195
	STABLEHLO_IOTA                   Code = 196
	STABLEHLO_DOT_GENERAL            Code = 197
	STABLEHLO_REDUCE_WINDOW          Code = 198
	STABLEHLO_SORT                   Code = 199
	STABLEHLO_WHILE                  Code = 200
	STABLEHLO_GATHER                 Code = 201
	STABLEHLO_TRANSPOSE              Code = 202
	DILATE                           Code = 203
	STABLEHLO_RNG_BIT_GENERATOR      Code = 204
	REDUCE_WINDOW                    Code = 205
	STABLEHLO_COMPOSITE              Code = 206
	STABLEHLO_SHIFT_LEFT             Code = 207
	STABLEHLO_CBRT                   Code = 208
	STABLEHLO_CASE                   Code = 209
)

var codeNames = map[Code]string{
	ADD:                              "ADD",
	AVERAGE_POOL_2D:                  "AVERAGE_POOL_2D",
	CONCATENATION:                    "CONCATENATION",
	CONV_2D:                          "CONV_2D",
	DEPTHWISE_CONV_2D:                "DEPTHWISE_CONV_2D",
	DEPTH_TO_SPACE:                   "DEPTH_TO_SPACE",
	DEQUANTIZE:                       "DEQUANTIZE",
	EMBEDDING_LOOKUP:                 "EMBEDDING_LOOKUP",
	FLOOR:                            "FLOOR",
	FULLY_CONNECTED:                  "FULLY_CONNECTED",
	HASHTABLE_LOOKUP:                 "HASHTABLE_LOOKUP",
	L2_NORMALIZATION:                 "L2_NORMALIZATION",
	L2_POOL_2D:                       "L2_POOL_2D",
	LOCAL_RESPONSE_NORMALIZATION:     "LOCAL_RESPONSE_NORMALIZATION",
	LOGISTIC:                         "LOGISTIC",
	LSH_PROJECTION:                   "LSH_PROJECTION",
	LSTM:                             "LSTM",
	MAX_POOL_2D:                      "MAX_POOL_2D",
	MUL:                              "MUL",
	RELU:                             "RELU",
	RELU_N1_TO_1:                     "RELU_N1_TO_1",
	RELU6:                            "RELU6",
	RESHAPE:                          "RESHAPE",
	RESIZE_BILINEAR:                  "RESIZE_BILINEAR",
	RNN:                              "RNN",
	SOFTMAX:                          "SOFTMAX",
	SPACE_TO_DEPTH:                   "SPACE_TO_DEPTH",
	SVDF:                             "SVDF",
	TANH:                             "TANH",
	CONCAT_EMBEDDINGS:                "CONCAT_EMBEDDINGS",
	SKIP_GRAM:                        "SKIP_GRAM",
	CALL:                             "CALL",
	CUSTOM:                           "CUSTOM",
	EMBEDDING_LOOKUP_SPARSE:          "EMBEDDING_LOOKUP_SPARSE",
	PAD:                              "PAD",
	UNIDIRECTIONAL_SEQUENCE_RNN:      "UNIDIRECTIONAL_SEQUENCE_RNN",
	GATHER:                           "GATHER",
	BATCH_TO_SPACE_ND:                "BATCH_TO_SPACE_ND",
	SPACE_TO_BATCH_ND:                "SPACE_TO_BATCH_ND",
	TRANSPOSE:                        "TRANSPOSE",
	MEAN:                             "MEAN",
	SUB:                              "SUB",
	DIV:                              "DIV",
	SQUEEZE:                          "SQUEEZE",
	UNIDIRECTIONAL_SEQUENCE_LSTM:     "UNIDIRECTIONAL_SEQUENCE_LSTM",
	STRIDED_SLICE:                    "STRIDED_SLICE",
	BIDIRECTIONAL_SEQUENCE_RNN:       "BIDIRECTIONAL_SEQUENCE_RNN",
	EXP:                              "EXP",
	TOPK_V2:                          "TOPK_V2",
	SPLIT:                            "SPLIT",
	LOG_SOFTMAX:                      "LOG_SOFTMAX",
	DELEGATE:                         "DELEGATE",
	BIDIRECTIONAL_SEQUENCE_LSTM:      "BIDIRECTIONAL_SEQUENCE_LSTM",
	CAST:                             "CAST",
	PRELU:                            "PRELU",
	MAXIMUM:                          "MAXIMUM",
	ARG_MAX:                          "ARG_MAX",
	MINIMUM:                          "MINIMUM",
	LESS:                             "LESS",
	NEG:                              "NEG",
	PADV2:                            "PADV2",
	GREATER:                          "GREATER",
	GREATER_EQUAL:                    "GREATER_EQUAL",
	LESS_EQUAL:                       "LESS_EQUAL",
	SELECT:                           "SELECT",
	SLICE:                            "SLICE",
	SIN:                              "SIN",
	TRANSPOSE_CONV:                   "TRANSPOSE_CONV",
	SPARSE_TO_DENSE:                  "SPARSE_TO_DENSE",
	TILE:                             "TILE",
	EXPAND_DIMS:                      "EXPAND_DIMS",
	EQUAL:                            "EQUAL",
	NOT_EQUAL:                        "NOT_EQUAL",
	LOG:                              "LOG",
	SUM:                              "SUM",
	SQRT:                             "SQRT",
	RSQRT:                            "RSQRT",
	SHAPE:                            "SHAPE",
	POW:                              "POW",
	ARG_MIN:                          "ARG_MIN",
	FAKE_QUANT:                       "FAKE_QUANT",
	REDUCE_PROD:                      "REDUCE_PROD",
	REDUCE_MAX:                       "REDUCE_MAX",
	PACK:                             "PACK",
	LOGICAL_OR:                       "LOGICAL_OR",
	ONE_HOT:                          "ONE_HOT",
	LOGICAL_AND:                      "LOGICAL_AND",
	LOGICAL_NOT:                      "LOGICAL_NOT",
	UNPACK:                           "UNPACK",
	REDUCE_MIN:                       "REDUCE_MIN",
	FLOOR_DIV:                        "FLOOR_DIV",
	REDUCE_ANY:                       "REDUCE_ANY",
	SQUARE:                           "SQUARE",
	ZEROS_LIKE:                       "ZEROS_LIKE",
	FILL:                             "FILL",
	FLOOR_MOD:                        "FLOOR_MOD",
	RANGE:                            "RANGE",
	RESIZE_NEAREST_NEIGHBOR:          "RESIZE_NEAREST_NEIGHBOR",
	LEAKY_RELU:                       "LEAKY_RELU",
	SQUARED_DIFFERENCE:               "SQUARED_DIFFERENCE",
	MIRROR_PAD:                       "MIRROR_PAD",
	ABS:                              "ABS",
	SPLIT_V:                          "SPLIT_V",
	UNIQUE:                           "UNIQUE",
	CEIL:                             "CEIL",
	REVERSE_V2:                       "REVERSE_V2",
	ADD_N:                            "ADD_N",
	GATHER_ND:                        "GATHER_ND",
	COS:                              "COS",
	WHERE:                            "WHERE",
	RANK:                             "RANK",
	ELU:                              "ELU",
	REVERSE_SEQUENCE:                 "REVERSE_SEQUENCE",
	MATRIX_DIAG:                      "MATRIX_DIAG",
	QUANTIZE:                         "QUANTIZE",
	MATRIX_SET_DIAG:                  "MATRIX_SET_DIAG",
	ROUND:                            "ROUND",
	HARD_SWISH:                       "HARD_SWISH",
	IF:                               "IF",
	WHILE:                            "WHILE",
	NON_MAX_SUPPRESSION_V4:           "NON_MAX_SUPPRESSION_V4",
	NON_MAX_SUPPRESSION_V5:           "NON_MAX_SUPPRESSION_V5",
	SCATTER_ND:                       "SCATTER_ND",
	SELECT_V2:                        "SELECT_V2",
	DENSIFY:                          "DENSIFY",
	SEGMENT_SUM:                      "SEGMENT_SUM",
	BATCH_MATMUL:                     "BATCH_MATMUL",
	PLACEHOLDER_FOR_GREATER_OP_CODES: "PLACEHOLDER_FOR_GREATER_OP_CODES",
	CUMSUM:                           "CUMSUM",
	CALL_ONCE:                        "CALL_ONCE",
	BROADCAST_TO:                     "BROADCAST_TO",
	RFFT2D:                           "RFFT2D",
	CONV_3D:                          "CONV_3D",
	IMAG:                             "IMAG",
	REAL:                             "REAL",
	COMPLEX_ABS:                      "COMPLEX_ABS",
	HASHTABLE:                        "HASHTABLE",
	HASHTABLE_FIND:                   "HASHTABLE_FIND",
	HASHTABLE_IMPORT:                 "HASHTABLE_IMPORT",
	HASHTABLE_SIZE:                   "HASHTABLE_SIZE",
	REDUCE_ALL:                       "REDUCE_ALL",
	CONV_3D_TRANSPOSE:                "CONV_3D_TRANSPOSE",
	VAR_HANDLE:                       "VAR_HANDLE",
	READ_VARIABLE:                    "READ_VARIABLE",
	ASSIGN_VARIABLE:                  "ASSIGN_VARIABLE",
	BROADCAST_ARGS:                   "BROADCAST_ARGS",
	RANDOM_STANDARD_NORMAL:           "RANDOM_STANDARD_NORMAL",
	BUCKETIZE:                        "BUCKETIZE",
	RANDOM_UNIFORM:                   "RANDOM_UNIFORM",
	MULTINOMIAL:                      "MULTINOMIAL",
	GELU:                             "GELU",
	DYNAMIC_UPDATE_SLICE:             "DYNAMIC_UPDATE_SLICE",
	RELU_0_TO_1:                      "RELU_0_TO_1",
	UNSORTED_SEGMENT_PROD:            "UNSORTED_SEGMENT_PROD",
	UNSORTED_SEGMENT_MAX:             "UNSORTED_SEGMENT_MAX",
	UNSORTED_SEGMENT_SUM:             "UNSORTED_SEGMENT_SUM",
	ATAN2:                            "ATAN2",
	UNSORTED_SEGMENT_MIN:             "UNSORTED_SEGMENT_MIN",
	SIGN:                             "SIGN",
	BITCAST:                          "BITCAST",
	BITWISE_XOR:                      "BITWISE_XOR",
	RIGHT_SHIFT:                      "RIGHT_SHIFT",
	STABLEHLO_LOGISTIC:               "STABLEHLO_LOGISTIC",
	STABLEHLO_ADD:                    "STABLEHLO_ADD",
	STABLEHLO_DIVIDE:                 "STABLEHLO_DIVIDE",
	STABLEHLO_MULTIPLY:               "STABLEHLO_MULTIPLY",
	STABLEHLO_MAXIMUM:                "STABLEHLO_MAXIMUM",
	STABLEHLO_RESHAPE:                "STABLEHLO_RESHAPE",
	STABLEHLO_CLAMP:                  "STABLEHLO_CLAMP",
	STABLEHLO_CONCATENATE:            "STABLEHLO_CONCATENATE",
	STABLEHLO_BROADCAST_IN_DIM:       "STABLEHLO_BROADCAST_IN_DIM",
	STABLEHLO_CONVOLUTION:            "STABLEHLO_CONVOLUTION",
	STABLEHLO_SLICE:                  "STABLEHLO_SLICE",
	STABLEHLO_CUSTOM_CALL:            "STABLEHLO_CUSTOM_CALL",
	STABLEHLO_REDUCE:                 "STABLEHLO_REDUCE",
	STABLEHLO_ABS:                    "STABLEHLO_ABS",
	STABLEHLO_AND:                    "STABLEHLO_AND",
	STABLEHLO_COSINE:                 "STABLEHLO_COSINE",
	STABLEHLO_EXPONENTIAL:            "STABLEHLO_EXPONENTIAL",
	STABLEHLO_FLOOR:                  "STABLEHLO_FLOOR",
	STABLEHLO_LOG:                    "STABLEHLO_LOG",
	STABLEHLO_MINIMUM:                "STABLEHLO_MINIMUM",
	STABLEHLO_NEGATE:                 "STABLEHLO_NEGATE",
	STABLEHLO_OR:                     "STABLEHLO_OR",
	STABLEHLO_POWER:                  "STABLEHLO_POWER",
	STABLEHLO_REMAINDER:              "STABLEHLO_REMAINDER",
	STABLEHLO_RSQRT:                  "STABLEHLO_RSQRT",
	STABLEHLO_SELECT:                 "STABLEHLO_SELECT",
	STABLEHLO_SUBTRACT:               "STABLEHLO_SUBTRACT",
	STABLEHLO_TANH:                   "STABLEHLO_TANH",
	STABLEHLO_SCATTER:                "STABLEHLO_SCATTER",
	STABLEHLO_COMPARE:                "STABLEHLO_COMPARE",
	STABLEHLO_CONVERT:                "STABLEHLO_CONVERT",
	STABLEHLO_DYNAMIC_SLICE:          "STABLEHLO_DYNAMIC_SLICE",
	STABLEHLO_DYNAMIC_UPDATE_SLICE:   "STABLEHLO_DYNAMIC_UPDATE_SLICE",
	STABLEHLO_PAD:                    "STABLEHLO_PAD",
	STABLEHLO_IOTA:                   "STABLEHLO_IOTA",
	STABLEHLO_DOT_GENERAL:            "STABLEHLO_DOT_GENERAL",
	STABLEHLO_REDUCE_WINDOW:          "STABLEHLO_REDUCE_WINDOW",
	STABLEHLO_SORT:                   "STABLEHLO_SORT",
	STABLEHLO_WHILE:                  "STABLEHLO_WHILE",
	STABLEHLO_GATHER:                 "STABLEHLO_GATHER",
	STABLEHLO_TRANSPOSE:              "STABLEHLO_TRANSPOSE",
	DILATE:                           "DILATE",
	STABLEHLO_RNG_BIT_GENERATOR:      "STABLEHLO_RNG_BIT_GENERATOR",
	REDUCE_WINDOW:                    "REDUCE_WINDOW",
	STABLEHLO_COMPOSITE:              "STABLEHLO_COMPOSITE",
	STABLEHLO_SHIFT_LEFT:             "STABLEHLO_SHIFT_LEFT",
	STABLEHLO_CBRT:                   "STABLEHLO_CBRT",
	STABLEHLO_CASE:                   "STABLEHLO_CASE",
}

// String is TFLite's name of the operator.
func (c Code) String() string {
	if n, ok := codeNames[c]; ok {
		return n
	}
	return fmt.Sprintf("BUILTIN_%d", int32(c))
}
