# How many tokens each variant writes as the reference does, mean over prompts.
# data: row, tokens, label, shown.  longest_text: tokens that were asked for
eval by_variant
set xlabel 'Tokens that agree with the reference from the beginning'
set xrange [0:longest_text*1.18]
half = 0.32
set arrow 1 from first longest_text, graph 0 to first longest_text, graph 1 nohead lc rgb gray dt 2 lw 1.5
plot data using 2:1:(0):2:($1-half):($1+half):ytic(3) with boxxyerror lc rgb green, \
  data using 2:1:4 with labels left offset 0.7,0 font ',10'
