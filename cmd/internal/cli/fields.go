package cli

import (
	"errors"
	"regexp"
	"strings"

	"flowmatch/models"
)

// Flag is how a user names a field of a configuration.
func Flag(field string) string {
	switch field {
	case "teacher", "solver", "round":
		return "the " + field
	case "guidance":
		return "the teacher's guidance"
	case "channels":
		return "the images' channels (--image-channels)"
	case "size":
		return "the images' size"
	case "num_classes":
		return "the number of classes"
	case "null_class":
		return "the null class (--class-dropout)"
	}
	return "--" + strings.ReplaceAll(field, "_", "-")
}

// names are fields in a sentence: words with underscores.
var names = regexp.MustCompile(`\b[a-z]+(_[a-z]+)+\b`)

// inFlags says in flags what a library says of fields.
func inFlags(err error) string {
	var f *models.FieldError
	if !errors.As(err, &f) {
		return err.Error()
	}
	return Flag(f.Field) + " " + names.ReplaceAllStringFunc(f.Why, Flag)
}
