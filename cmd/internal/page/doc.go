// Package page is the server of bin/ui: a page in the browser on which people look at
// flows, draw sets of their own, sample pictures, and follow their runs.
//
// It serves a few static files, without a build step and without a network, and an
// API for them:
//
//  1. [Server.Handler] checks who asks (security.go): the Host and Origin of a request,
//     and a token where the page is open to other machines.
//     It waits for the whole request before that has a place (bounds.go).
//  2. What is computed goes to a [Worker], one goroutine that does a job after the other. A
//     request has a lane; a newer one of the same lane ends the older.
//     The more urgent goes first, even in the middle of a long one, where that breathes.
//  3. Results stream to the page as they come (events.go): events of server-sent
//     events' format, written by the request's own goroutine, so that a slow reader
//     never holds the worker.
//  4. The output folder is read through an os.Root (outputs.go): neither a path nor a
//     link leads out of it. Nothing is ever written there.
//
// A view of the page is a file of handlers here and a module in static/: plane.go and
// flow.js, drawing.go and draw.js, pictures.go and digits.js, runs.go and runs.js.
package page
