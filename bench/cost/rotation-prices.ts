import { z } from 'zod';
import { ASSUMPTIONS } from './assumptions.ts';
import type { Charge } from './price-list.ts';
import type { TemplateResource } from './templates.ts';

const Schedule = z.object({
  // Schedules by expression are not counted yet.
  RotationRules: z.object({ AutomaticallyAfterDays: z.number().positive() }),
});

/** The rotations of a month: the schedule has no price, the function that it calls has. */
export function rotationCharges({ properties }: TemplateResource): Omit<Charge, 'what'>[] {
  const rotations =
    ASSUMPTIONS.hoursAMonth / 24 / Schedule.parse(properties).RotationRules.AutomaticallyAfterDays;
  const steps = rotations * ASSUMPTIONS.rotationSteps;
  return [
    { price: 'lambda-request', quantity: steps },
    {
      price: 'lambda-gb-second',
      quantity: steps * ASSUMPTIONS.rotationMemoryGb * (ASSUMPTIONS.rotationStepMs / 1000),
    },
    { price: 'secret-call', quantity: rotations * ASSUMPTIONS.rotationSecretCalls },
    { price: 'dynamodb-read-unit', quantity: rotations * ASSUMPTIONS.rotationLedgerReads },
    { price: 'dynamodb-write-unit', quantity: rotations * ASSUMPTIONS.rotationLedgerWrites },
  ];
}
