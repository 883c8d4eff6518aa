# How unsure each variant is, token by token.
# data: one block a variant: step, entropy.  label[]: their names
set xlabel 'Token that is written'
set ylabel 'Entropy of the next token (bits)'
set yrange [0:*]
set key outside right center vertical Left reverse spacing 1.1 font ',11' samplen 1.5 width 1
plot for [i=0:rows-1] data index i using 1:2 with linespoints lt (i+1) ps 0.5 title label[i+1]
