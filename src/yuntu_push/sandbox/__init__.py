"""An imitation of Ocean Engine (巨量引擎) to learn with, to rehearse on and to test against.

It refuses what the platform refuses, with the published codes and words, and takes the platform's
time on a clock of its own. It shares nothing with the client but the published upload schema in
`proto`, so that one wrong constant cannot fool both sides. What the vendor's documents leave open
is a switch in `options`.
"""
