package set

import "strings"

// Remedy is what to do about a fault. What a caller can do stands in it by one of the
// names below, which String says as Go programs do it, and a program's commands in words
// of their own, with In.
type Remedy string

// What remedies ask a caller for.
const (
	Fetch     = "{fetch it}"   // the set's public files, anew
	DataDir   = "{data dir}"   // the folder of the sets' folders
	ImageSize = "{image size}" // of a folder's pictures
)

var inGo = map[string]string{
	Fetch:     "fetch it with Download",
	DataDir:   "Options.DataDir",
	ImageSize: "Options.ImageSize",
}

func (r Remedy) String() string { return r.In(inGo) }

// In says it in the given words.
func (r Remedy) In(words map[string]string) string {
	var pairs []string
	for name, word := range words {
		pairs = append(pairs, name, word)
	}
	return strings.NewReplacer(pairs...).Replace(string(r))
}
