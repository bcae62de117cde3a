// Package flow is the method: probability paths to train on, solvers to sample
// with, guidance, and likelihoods.
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
// [Objective] has steps 1 to 3: a [Coupling] of noise and data, a [TimeSampler]
// and a [Path]; [Loss] is the fourth, [Sampling] the fifth. Another path, coupling
// or distribution of times is a type of its own, in a file of its own.
//
// # Paths
//
// Any x_t = alpha_t x1 + sigma_t x0 from noise to data will do (Lipman et al. 2024,
// section 4). [NewPath] makes one by name: ot, the straight line above; vp, the
// variance-preserving diffusion (Song et al. 2021); cosine. Their [Coefficients]
// turn what is expected of the velocity, of the noise and of the data at a point
// into each other.
//
// The velocity of vp has no bound near the data, where sigma grows like the root
// of 1 - t. So models learn it in a path's Span, which ends at t = .999 there, and
// [Within] keeps solvers and likelihoods from asking for it later: what is left of
// the way goes on at the last velocity. The others are learnt at all times.
//
// # Times
//
// The times that a model is trained at say where its effort is spent, not what it learns:
// [NewTimes] makes their distribution by name, uniform or logit-normal (Esser et al. 2024),
// and stratified, if that is wanted, so that the gradient varies less.
//
// # Couplings
//
// Noise need not be independent of the data: any coupling of the two gives a flow
// from the one to the other. [MinibatchOT] pairs those of a batch that lie near each
// other, by an exact assignment, so that the paths cross less.
//
// # Solvers
//
// A [FixedStep] takes as many equal steps as it is told. With the stages
//
//	k_i = v(x + h sum_j a_ij k_j, t + c_i h)
//
// a step of h goes to x' = x + h sum_i b_i k_i; the numbers are the method's
// [Tableau]. Its error falls with h to the power of the method's order.
//
// An [Adaptive] chooses its steps (Hairer, Norsett and Wanner 1993, II.4):
//
//  1. The first step is so long that an Euler step of a hundredth of it would
//     change little: two evaluations.
//  2. The stages give a second solution, of neighbouring order. The difference
//     e = h sum_i e_i k_i estimates the error, and the error ratio is
//     r = rms(e / (ATol + RTol max(|x|, |x'|))) over the whole batch.
//  3. A step with r <= 1 is taken; the last stage's slope begins the next one.
//     Else it is tried again.
//  4. The next h is h times 0.9 r^(-1/order), at most 10 and at least 0.2, or
//     1 after a step that was taken.
//
// [NewSolver] makes either by name; [Methods] lists the names, which are
// torchdiffeq's. States at times within a step come from the method's
// interpolant and never change the steps: a cubic Hermite polynomial, Shampine's
// quartic for dopri5, the continuous extension of fifth order for dopri8.
//
// # Guidance
//
// A model that was trained with a null class in the place of some labels can be
// pushed towards a class (Ho and Salimans 2022, eq. 6, with W for 1 + w):
// [Guidance] is v = v_u + W (v_c - v_u), everywhere or in an interval of t.
//
// # Likelihoods
//
// The density of the flow obeys d log p(x(t))/dt = -div v(x(t), t) along a path
// (Chen et al. 2018, theorem 1). So [Likelihood]
//
//  1. begins at a sample, x(1) = x and l(1) = 0;
//  2. solves dx/dt = v(x, t) and dl/dt = div v(x, t) together from t = 1 to 0;
//  3. has log p(x) = log N(x(0); 0, I) + l(0).
//
// The divergence, the trace of the Jacobian J, is exact by one vector-Jacobian
// product for each number of a sample, or it is Hutchinson's estimate e' J e
// with E[e e'] = I (Grathwohl et al. 2019, eq. 7), whose e stays the same for
// the whole solution.
//
// The package knows nothing of files, flags or pictures.
package flow
