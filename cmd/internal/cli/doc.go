// Package cli is what the commands share: flags, exit statuses, signals, and
// the opening of a device.
package cli
