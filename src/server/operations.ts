// The type of each handler, from its operationId in the contract. Holds no code.
import type { RequestHandler } from 'express'
import type { AppError } from '../errors.ts'
import type { operations } from './api.d.ts'

export type OperationId = keyof operations

/** What every request carries along. */
export interface Locals {
  /** The request's name: the client's, or a new one. */
  requestId: string
  /** Path pattern in the contract, or `unmatched`. */
  route: string
  /** Code of the problem it was answered with. */
  code?: string
  /** Ends an answer that has begun with an error; without it the connection is cut. */
  endWith?: (error: AppError) => void
}

type Responses<Id extends OperationId> = operations[Id]['responses']
type BodyOf<T> = T extends { content: infer Content } ? Content[keyof Content] : never
type Answer<Id extends OperationId> = BodyOf<Responses<Id>[Extract<keyof Responses<Id>, 200 | 202>]>
type Body<Id extends OperationId> = BodyOf<NonNullable<operations[Id]['requestBody']>>
type Path<Id extends OperationId> =
  NonNullable<operations[Id]['parameters']['path']> extends infer P
    ? [P] extends [never]
      ? Record<string, never>
      : P
    : never

/** An Express handler whose path parameters, checked body and successful answer are those of the contract. */
export type Operation<Id extends OperationId> = RequestHandler<
  Path<Id>,
  Answer<Id>,
  Body<Id>,
  unknown,
  Locals & Record<string, unknown>
>

/** One handler for every operation: a missing or a surplus one does not compile. */
export type Operations = { readonly [Id in OperationId]: Operation<Id> }
