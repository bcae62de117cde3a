package datasets

import (
	"fmt"
	"slices"
	"strings"
)

// folderSplit are the sub-folders of folder:DIR whose own sub-folders are the classes,
// where DIR is parted for training and testing.
type folderSplit struct {
	train, test string // test: "" where there is none
	note        string
}

// Names of such sub-folders, whatever their case.
var (
	trainNames = []string{"train", "training"}
	testNames  = []string{"test", "testing"}
	valNames   = []string{"val", "valid", "validation", "dev"}
)

// splitOf tells whether folders are the parts of a split: all of them are called like
// parts, one is for training, and that one has folders in it. Two classes called train
// and test hold pictures.
func splitOf(folders []string, hasFolders func(name string) bool) *folderSplit {
	one := func(of []string) string {
		k := slices.IndexFunc(folders, func(f string) bool { return slices.Contains(of, strings.ToLower(f)) })
		if k < 0 {
			return ""
		}
		return folders[k]
	}
	train, test, val := one(trainNames), one(testNames), one(valNames)
	found := 0
	for _, part := range []string{train, test, val} {
		if part != "" {
			found++
		}
	}
	if train == "" || found != len(folders) || !hasFolders(train) {
		return nil
	}
	s := &folderSplit{train: train, test: test}
	switch {
	case test == "" && val == "":
		s.note = fmt.Sprintf("%s holds the classes", train)
	case test == "":
		s.test = val
		s.note = fmt.Sprintf("%s and %s are a split: the first is trained on, the second is for tests", train, val)
	case val == "":
		s.note = fmt.Sprintf("%s and %s are a split: the first is trained on, the second is for tests", train, test)
	default:
		s.note = fmt.Sprintf("%s and %s are a split: the first is trained on, the second is for tests, and %s is not used", train, test, val)
	}
	return s
}
