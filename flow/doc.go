// Package flow is the method: probability paths to train on, and solvers to
// sample with.
//
// Flow matching (Lipman et al. 2023, "Flow Matching for Generative Modeling")
// learns a velocity field v(x, t) whose flow carries noise x0 ~ N(0, I) at
// t = 0 to data x1 at t = 1:
//
//  1. Draw a data point x1, noise x0 and a time t ~ U(0,1).
//  2. Go to x_t = t x1 + (1 - (1 - sigma_min) t) x0 (eq. 22), a straight line
//     that ends in a small ball around x1.
//  3. The velocity along it is u = x1 - (1 - sigma_min) x0 (eq. 23 at x_t).
//  4. Minimise |v(x_t, t) - u|^2 (eq. 14): its minimiser is the velocity field
//     of the whole distribution.
//  5. To sample, start from noise and solve dx/dt = v(x, t) from 0 to 1.
//
// With sigma_min = 0 this is the rectified flow of Liu et al. 2023, eq. 1.
//
// The package knows nothing of files, flags or pictures.
package flow
