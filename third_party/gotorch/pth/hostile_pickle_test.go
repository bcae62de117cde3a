package pth_test

import (
	"fmt"
	"strings"

	"github.com/wangkuiyi/gotorch/faulttest"
)

// refusedOpcodes are all of Python's that the reader does not know, with arguments that would be right for them.
var refusedOpcodes = []struct{ name, code string }{
	{"POP", "NN0"}, {"POP_MARK", "N(N1"}, {"DUP", "N2"}, {"FLOAT", "F1.5\n"}, {"INT", "I1\n"}, {"LONG", "L1L\n"},
	{"PERSID", "P0\n"}, {"STRING", "S'a'\n"}, {"BINSTRING", "T\x01\x00\x00\x00a"}, {"SHORT_BINSTRING", "U\x01a"},
	{"UNICODE", "Va\n"}, {"DICT", "(d"}, {"GET", "Nq\x00g0\n"}, {"INST", "(ios\nsystem\n"}, {"LIST", "(l"},
	{"OBJ", "(ccollections\nOrderedDict\no"}, {"PUT", "Np0\n"}, {"BINBYTES", "B\x01\x00\x00\x00a"},
	{"SHORT_BINBYTES", "C\x01a"}, {"NEWOBJ", "ccollections\nOrderedDict\n)\x81"}, {"EXT1", "\x82\x01"},
	{"EXT2", "\x83\x01\x00"}, {"EXT4", "\x84\x01\x00\x00\x00"}, {"LONG4", "\x8b\x01\x00\x00\x00\x01"},
	{"SHORT_BINUNICODE", "\x8c\x01a"}, {"BINUNICODE8", "\x8d\x01\x00\x00\x00\x00\x00\x00\x00a"},
	{"BINBYTES8", "\x8e\x01\x00\x00\x00\x00\x00\x00\x00a"}, {"EMPTY_SET", "\x8f"}, {"ADDITEMS", "](N\x90"},
	{"FROZENSET", "(N\x91"}, {"NEWOBJ_EX", "ccollections\nOrderedDict\n)}\x92"},
	{"STACK_GLOBAL", str("os") + str("system") + "\x93"}, {"MEMOIZE", "N\x94"},
	{"FRAME", "\x95\x01\x00\x00\x00\x00\x00\x00\x00N"}, {"BYTEARRAY8", "\x96\x01\x00\x00\x00\x00\x00\x00\x00a"},
	{"NEXT_BUFFER", "\x97"}, {"READONLY_BUFFER", "N\x98"},
}

// refusedGlobals have all been used in attacks, or are near the allowed ones.
var refusedGlobals = []string{
	"os system", "posix system", "nt system", "builtins eval", "builtins exec", "builtins getattr", "__builtin__ eval",
	"subprocess Popen", "runpy _run_code", "pip main", "torch load", "torch.hub load", "torch.storage _load_from_bytes",
	"torch.serialization load", "torch.jit._pickle build_intlist", "torch.jit._script unpackage_script_module",
	"torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v3", "torch._utils _rebuild_sparse_tensor",
	"torch._utils _rebuild_qtensor", "torch._utils _rebuild_parameter_with_state", "torch._tensor _rebuild_from_type_v2",
	"torch.storage UntypedStorage", "torch ComplexFloatStorage", "torch QInt8Storage", "torch float32", "torch Size",
	"torch FloatTensor", "torch.cuda FloatStorage", "torch FloatStorage.from_buffer", "numpy.core.multiarray _reconstruct",
	"numpy dtype", "collections Counter", "collections defaultdict", "collections.OrderedDict fromkeys", "_codecs encode",
	"copyreg _reconstructor", "torch  FloatStorage", " torch FloatStorage",
}

func hostilePickles() []faulttest.Hostile {
	var cases []faulttest.Hostile
	add := func(name, pickle, want string) {
		cases = append(cases, faulttest.Hostile{Name: "pickle: " + name, Data: checkpoint(pickle).bytes(), Why: want})
	}
	body := func(name, code, want string) { add(name, "\x80\x02"+code+".", want) }

	for _, op := range refusedOpcodes {
		body("opcode "+op.name, op.code, "the opcode "+op.name)
	}
	body("opcode 0xff", "\xff", "the opcode 0xff")
	body("opcode 0x00", "\x00", "the opcode 0x00")
	for _, g := range refusedGlobals {
		module, name, _ := strings.Cut(g, " ")
		if g[0] == ' ' {
			module, name = " torch", "FloatStorage"
		}
		body("global "+g, "c"+module+"\n"+name+"\n("+str("x")+"tR", "the global "+module+"."+name)
	}

	add("empty", "", "does not begin with its protocol")
	add("no protocol", "}.", "does not begin with its protocol")
	for _, v := range []int{0, 1, 3, 4, 5, 255} {
		add(fmt.Sprint("protocol ", v), "\x80"+string([]byte{byte(v)})+"}.", fmt.Sprint("pickle protocol ", v))
	}
	body("PROTO twice", "\x80\x02}", "a second PROTO")
	add("bytes after STOP", "\x80\x02}..", "1 bytes after STOP")
	add("second pickle", "\x80\x02}.\x80\x02cos\nsystem\n.", "bytes after STOP")
	add("no STOP", "\x80\x02}", "no STOP")
	body("nothing at STOP", "", "0 values and 0 marks")
	body("two values at STOP", "NN", "2 values")
	body("open mark at STOP", "N(", "1 values and 1 marks")
	body("TUPLE without mark", "Nt", "no mark")
	body("APPENDS without mark", "]e", "no mark")
	body("SETITEMS without mark", "}u", "no mark")
	body("TUPLE1 of nothing", "\x85", "stack is empty")
	body("TUPLE2 across a mark", "N(N\x86", "at a mark")
	body("APPEND across a mark", "](Na", "at a mark")
	body("SETITEM across a mark", "}(NNs", "at a mark")
	body("REDUCE of nothing", "R", "stack is empty")
	body("BINPUT of nothing", "q\x00", "stack is empty")
	body("BINPUT of a mark", "(q\x00", "at a mark")
	body("BINGET unset", "h\x00", "memo 0 is read before it is written")
	body("BINGET in a hole", "Nq\x05h\x03", "memo 3 is read before it is written")
	body("LONG_BINGET unset", "j\xff\xff\xff\xff", "read before it is written")
	body("LONG_BINPUT far away", "Nr\xff\xff\xff\xff", "memo 4294967295, at most")
	body("APPEND to a tuple", ")Na", "not a list")
	body("SETITEM on a list", "]NNs", "not a dict")
	body("SETITEMS with an odd number", "}(Nu", "a key without a value")
	body("duplicate key", "}("+str("a")+"N"+str("a")+"Nu", `the dict key "a" twice`)
	body("duplicate key later", "}K\x01NsM\x01\x00Ns", `the dict key "1" twice`)
	body("key None", "}NNs", "None as a dict's key")
	body("key bool", "}\x88Ns", "a bool as a dict's key")
	body("key float", "}G\x3f\xf0\x00\x00\x00\x00\x00\x00Ns", "a float as a dict's key")
	body("key list", "}]Ns", "a list as a dict's key")
	body("key tuple", "})Ns", "a tuple as a dict's key")
	body("LONG1 of 9 bytes", "\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01", "an integer of 9 bytes")
	body("LONG1 of 255 bytes", "\x8a\xff", "an integer of 255 bytes")
	for name, code := range map[string]string{
		"BININT": "J\x00", "BININT1": "K", "BININT2": "M\x00", "LONG1": "\x8a\x08\x00", "BINFLOAT": "G\x00", "BINGET": "h",
		"BINUNICODE": "X\x01\x00", "BINUNICODE text": "X\x05\x00\x00\x00a", "LONG_BINPUT": "Nr\x00",
	} {
		add("cut in "+name, "\x80\x02"+code, "ends inside an opcode")
	}
	body("string of 4 GiB", "X\xff\xff\xff\xff", "a string of 4294967295 bytes, at most 65536")
	body("string not UTF-8", "X\x02\x00\x00\x00\xff\xfe", "a string that is not UTF-8")
	body("string a surrogate", "X\x03\x00\x00\x00\xed\xa0\x80", "a string that is not UTF-8")
	body("list holding itself", "]q\x00h\x00a", "a list that holds itself")
	body("dict holding itself", "}q\x00"+str("a")+"h\x00s", "a dict that holds itself")
	body("tuple holding itself", "]q\x00(h\x00\x85q\x01h\x01e", "that holds itself")
	body("two lists holding each other", "]q\x00]q\x01h\x00aa", "a list that holds itself")
	body("65 levels", strings.Repeat("]", 65)+strings.Repeat("a", 64), "more than 64 levels")
	body("65 levels of shared tuples", ")"+strings.Repeat("\x85", 65), "more than 64 levels")
	body("200000 levels", strings.Repeat("]", 200_000)+strings.Repeat("a", 199_999), "more than")
	bomb := "]q\x00" // each list holds the one before it ten times
	for i := range 20 {
		bomb += fmt.Sprintf("](%se", strings.Repeat(string([]byte{'h', byte(i)}), 10)) + string([]byte{'q', byte(i + 1)})
	}
	body("twenty lists of ten", "("+bomb+"t", "more than 1000000 values")
	body("two million values", strings.Repeat("N", 2_000_000), "over the limit: more than")
	body("two million marks", strings.Repeat("(", 2_000_000), "over the limit: more than")
	body("a million lists", "("+strings.Repeat("]", 999_990)+"t", "more than")
	body("bare storage", four, "a bare storage where a value should be")
	body("bare global", "ctorch\nFloatStorage\n", "the global torch.FloatStorage where")
	body("global in a list", "]ccollections\nOrderedDict\na", "the global collections.OrderedDict where")
	body("GLOBAL without line end", "c"+strings.Repeat("a", 300), "GLOBAL without a line end")
	body("GLOBAL with one line", "ctorch\nFloat", "GLOBAL without a line end")
	body("GLOBAL with control characters", "c\x1b[31m\nx\x00\n", `the global "\x1b[31m.x\x00"`)

	body("REDUCE on a storage class", "ctorch\nFloatStorage\n)R", "REDUCE on the global torch.FloatStorage")
	body("REDUCE on a string", str("os.system")+")R", "REDUCE on a str")
	body("REDUCE on a dict", "})R", "REDUCE on a dict")
	body("REDUCE without a tuple", "ccollections\nOrderedDict\n]R", "REDUCE with a list")
	body("OrderedDict with arguments", "ccollections\nOrderedDict\n]\x85R", "OrderedDict with 1 arguments")
	body("BUILD on a dict", "}}b", "BUILD on a dict")
	body("BUILD on a list", "]}b", "BUILD on a list")
	body("BUILD on a tensor", vector+"}b", "BUILD on a tensor")
	body("BUILD without attributes", hooks+"}b", "other attributes than _metadata")
	body("BUILD of __class__", hooks+"}"+str("__class__")+"Nsb", "other attributes than _metadata")
	body("BUILD of __setstate__ too", hooks+"}("+str("_metadata")+hooks+str("__setstate__")+"Nub", "other attributes")
	body("BUILD of slots", hooks+"N}"+str("x")+"Ns\x86b", "other attributes than _metadata")
	body("_metadata no dict", hooks+"}"+str("_metadata")+"Nsb", "other attributes than _metadata")
	return cases
}

func hostileTensors() []faulttest.Hostile {
	var cases []faulttest.Hostile
	body := func(name, code, want string) {
		cases = append(cases, faulttest.Hostile{Name: "tensor: " + name, Data: checkpoint("\x80\x02" + code + ".").bytes(), Why: want})
	}
	max64 := "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"
	big := "\x8a\x05\x00\x00\x00\x00\x01" // 2^32
	minus := "J\xff\xff\xff\xff"
	one, two, zero := "K\x01", "K\x02", "K\x00"

	body("no persistent id", "NQ", "a persistent id that is not")
	body("persistent id of four", "("+str("storage")+"NNNtQ", "a persistent id that is not")
	body("persistent id of a module", "("+str("module")+"ctorch\nFloatStorage\n"+str("0")+str("cpu")+"K\x04tQ", "a persistent id that is not")
	body("key a path", pid("FloatStorage", "../0", "K\x04"), "storage key \"../0\", not digits")
	body("key empty", pid("FloatStorage", "", "K\x04"), "not digits")
	body("key other digits", pid("FloatStorage", "٣", "K\x04"), "not digits")
	body("key missing", pid("FloatStorage", "1", "K\x04"), "archive/data/1 is missing")
	body("key 00", pid("FloatStorage", "00", "K\x04"), "archive/data/00 is missing")
	body("class a string", "("+str("storage")+str("FloatStorage")+str("0")+str("cpu")+"K\x04tQ", "a persistent id with other types")
	body("class no storage", "("+str("storage")+"ccollections\nOrderedDict\n"+str("0")+str("cpu")+"K\x04tQ", "a storage of the class collections.OrderedDict")
	body("location None", "("+str("storage")+"ctorch\nFloatStorage\n"+str("0")+"NK\x04tQ", "a persistent id with other types")
	body("numel too small", pid("FloatStorage", "0", "K\x03"), "16 bytes, not 3 elements of float32")
	body("numel too large", pid("FloatStorage", "0", "K\x05"), "16 bytes, not 5 elements of float32")
	body("numel negative", pid("FloatStorage", "0", minus), "16 bytes, not -1 elements")
	body("numel overflows", pid("FloatStorage", "0", "\x8a\x08\x04\x00\x00\x00\x00\x00\x00\x40"), "not 4611686018427387908 elements")
	body("another type", pid("DoubleStorage", "0", "K\x04"), "16 bytes, not 4 elements of float64")
	body("two types", "("+four+pid("IntStorage", "0", "K\x04")+"t", "as float32 of 4 elements and as int32 of 4")
	body("two sizes", "("+four+pid("FloatStorage", "0", "K\x03")+"t", "as float32 of 4 elements and as float32 of 3")
	body("bools of 2", tensor(pid("BoolStorage", "0", "K\x10"), zero, one+"\x85", one+"\x85"), "the bool at 2 is 128")

	body("of a string", tensor(str("0"), zero, one+"\x85", one+"\x85"), "_rebuild_tensor_v2 of a str")
	body("five arguments", "ctorch._utils\n_rebuild_tensor_v2\n("+four+zero+"))\x89tR", "with 5 arguments, not 6")
	body("seven arguments", "ctorch._utils\n_rebuild_tensor_v2\n("+four+zero+"))\x89"+hooks+"}tR", "with 7 arguments, not 6")
	body("size a list", tensor(four, zero, "]", ")"), "arguments of other types")
	body("size of floats", tensor(four, zero, "G\x3f\xf0\x00\x00\x00\x00\x00\x00\x85", one+"\x85"), "arguments of other types")
	body("size of bools", tensor(four, zero, "\x88\x85", one+"\x85"), "arguments of other types")
	body("offset a float", tensor(four, "G\x00\x00\x00\x00\x00\x00\x00\x00", one+"\x85", one+"\x85"), "arguments of other types")
	body("requires_grad an int", "ctorch._utils\n_rebuild_tensor_v2\n("+four+zero+"))K\x00"+hooks+"tR", "arguments of other types")
	body("hooks", "ctorch._utils\n_rebuild_tensor_v2\n("+four+zero+"))\x89"+hooks+"K\x00NstR", "with backward hooks")
	body("hooks a dict", "ctorch._utils\n_rebuild_tensor_v2\n("+four+zero+"))\x89}tR", "with backward hooks")
	body("hooks None", "ctorch._utils\n_rebuild_tensor_v2\n("+four+zero+"))\x89NtR", "with backward hooks")
	body("more strides", tensor(four, zero, one+"\x85", one+one+"\x86"), "1 sizes and 2 strides")
	body("nine dimensions", tensor(four, zero, "("+strings.Repeat(one, 9)+"t", "("+strings.Repeat(one, 9)+"t"), "9 dimensions, at most 8")
	body("100000 dimensions", tensor(four, zero, "("+strings.Repeat(one, 100000)+"t", "("+strings.Repeat(one, 100000)+"t"), "100000 dimensions")
	body("one too long", tensor(four, zero, "K\x05\x85", one+"\x85"), "reaches element 4 of a storage of 4")
	body("one too far", tensor(four, one, "K\x04\x85", one+"\x85"), "reaches element 4 of a storage of 4")
	body("stride too long", tensor(four, zero, two+two+"\x86", "K\x03"+one+"\x86"), "reaches element 4 of a storage of 4")
	body("offset at the end", tensor(four, "K\x04", ")", ")"), "reaches element 4 of a storage of 4")
	body("offset beyond, empty", tensor(four, "K\x05", zero+"\x85", one+"\x85"), "at element 5 of a storage of 4")
	body("offset negative", tensor(four, minus, one+"\x85", one+"\x85"), "at element -1")
	body("offset 2^63-1", tensor(four, max64, one+"\x85", one+"\x85"), "at element 9223372036854775807")
	body("size negative", tensor(four, zero, minus+"\x85", one+"\x85"), "the size -1 and the stride 1")
	body("sizes both negative", tensor(four, zero, minus+minus+"\x86", one+one+"\x86"), "the size -1")
	body("stride negative", tensor(four, "K\x03", "K\x04\x85", minus+"\x85"), "the size 4 and the stride -1")
	body("stride overflows", tensor(four, zero, "K\x03\x85", max64+"\x85"), "reaches element")
	body("strides overflow together", tensor(four, zero, "K\x03K\x03K\x03\x87", max64+max64+max64+"\x87"), "strides overflow")
	body("size overflows", tensor(four, zero, big+big+"\x86", zero+zero+"\x86"), "impossible shape")
	body("size overflows in bytes", tensor(four, zero, max64+"\x85", zero+"\x85"), "impossible shape")
	body("size overflow hidden by 0", tensor(four, zero, big+big+zero+"\x87", zero+zero+zero+"\x87"), "impossible shape")
	body("one element expanded to 4 GiB", tensor(four, zero, "J\x00\x00\x00\x40\x85", zero+"\x85"), "over the limit")
	body("many expanded to 1 MiB", "("+strings.Repeat(tensor(four, zero, "J\x00\x00\x04\x00\x85", zero+"\x85"), 100)+"t", "over the limit")
	body("parameter of two", "ctorch._utils\n_rebuild_parameter\n("+vector+"\x88tR", "_rebuild_parameter with other arguments")
	body("parameter of None", "ctorch._utils\n_rebuild_parameter\n(N\x88"+hooks+"tR", "_rebuild_parameter with other arguments")
	body("parameter with hooks", "ctorch._utils\n_rebuild_parameter\n("+vector+"\x88"+hooks+"K\x00NstR", "_rebuild_parameter with other arguments")
	return cases
}
