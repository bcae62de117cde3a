package models

import "fmt"

// FieldError is a field of a configuration, a network's or a run's, that is wrong.
type FieldError struct {
	Field string // its name in JSON: "num_channels"
	Why   string // "33 is not a multiple of 32"; other fields by their names, too
}

func (e *FieldError) Error() string { return e.Field + " " + e.Why }

// Wrong is a FieldError whose Why is a format.
func Wrong(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}
