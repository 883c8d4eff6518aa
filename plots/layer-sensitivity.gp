# How far each variant's predictions are from the reference's, worst on top: which layer hurts most.
# data: row, KL divergence, error, label, shown
eval by_variant
set xlabel 'KL divergence (nats a token; ± one standard error, over tokens or windows, whichever is larger)'
if (logarithmic) { set logscale x; set format x '%.0e' } else { set xrange [0:*] }
set offsets 0, graph 0.2, 0, 0
half = 0.32
if (logarithmic) {
  set offsets graph 0.05, graph 0.2, 0, 0
  plot data using 2:1:3:ytic(4) with xerrorbars lt 4 pt 7, \
    data using 2:1:5 with labels offset 0,0.9 font ',10'
} else {
  plot data using 2:1:(0):2:($1-half):($1+half):ytic(4) with boxxyerror lc rgb red, \
    data using 2:1:3 with xerrorbars lc rgb black lw 1.2 pt 0, \
    data using ($2+$3):1:5 with labels left offset 0.7,0 font ',10'
}
